import type { JavaToolchain, RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { testIf } from "../support/test-if.js";
import { conformanceToolchain, missingRocketMq } from "./rocketmq-preparation.js";

/**
 * Registers tests that need RocketMQ, one for each case; without a JDK, Maven or a network they count as skipped, and so does a file
 * without a case: AVA takes one without tests for a failure.
 *
 * @param what they are about
 */
export function rocketMqTests<C extends { readonly series: RocketMqSeries }>(
  what: string,
  cases: readonly C[],
  register: (one: C, toolchain: JavaToolchain) => void,
): void {
  if (cases.length === 0) testIf(false, "not of the direction that was asked for")(what, (t) => t.fail());
  const missing = missingRocketMq();
  if (missing === undefined) {
    for (const one of cases) register(one, conformanceToolchain);
    return;
  }
  const skipped = testIf(false, missing);
  for (const one of cases) skipped(`${what}: ${JSON.stringify(one)}`, (t) => t.fail());
}
