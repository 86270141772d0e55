import { join } from "node:path";
import test from "ava";
import { JavaToolchain, type RocketMqSeries } from "#scripts/bench/java-toolchain.js";
import { projectRoot } from "../project-root.js";

const toolchain = new JavaToolchain(join(projectRoot(), "test", "conformance"));

/**
 * Registers tests that need RocketMQ, one for each case; without a JDK or Maven one visible line stands for them all.
 *
 * @param what they are about
 */
export function rocketMqTests<C extends { readonly series: RocketMqSeries }>(
  what: string,
  cases: readonly C[],
  register: (one: C, toolchain: JavaToolchain) => void,
): void {
  const missing = JavaToolchain.missing();
  if (missing === undefined) {
    for (const one of cases) register(one, toolchain);
    return;
  }
  const line = `${what}: ${cases.length} tests skipped, ${missing}`;
  process.stderr.write(`${line}\n`);
  test(line, (t) => t.pass());
}
