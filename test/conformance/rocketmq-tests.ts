import test from "ava";
import type { JavaToolchain, RocketMqSeries } from "#scripts/bench/java-toolchain.js";
import { conformanceToolchain, missingRocketMq } from "./rocketmq-preparation.js";

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
  const missing = missingRocketMq();
  if (missing === undefined) {
    for (const one of cases) register(one, conformanceToolchain);
    return;
  }
  const line = `${what}: ${cases.length} tests skipped, ${missing}`;
  process.stderr.write(`${line}\n`);
  test(line, (t) => t.pass());
}
