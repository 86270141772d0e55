import { join } from "node:path";
import { JavaToolchain, ROCKETMQ_SERIES } from "#scripts/bench/java/java-toolchain.js";
import { projectRoot } from "../support/project-root.js";

/** Says why there is no RocketMQ, to the processes of the tests. */
export const MISSING_VARIABLE = "MILLRACE_ROCKETMQ_MISSING";
const UNREACHABLE =
  /Could not transfer|Unknown host|UnknownHost|Connection refused|Connection reset|timed out|Network is unreachable/;

export const conformanceToolchain = new JavaToolchain(join(projectRoot(), "test", "conformance"));

/**
 * Downloads RocketMQ and compiles the programs before the tests begin, which wait for no network then.
 *
 * @returns why it cannot be had here: no JDK, no Maven, no network. What does not compile is an error
 */
export function prepareRocketMq(): string | undefined {
  const missing = JavaToolchain.missing();
  if (missing !== undefined) return missing;
  try {
    for (const series of ROCKETMQ_SERIES) conformanceToolchain.classPath(series);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const line = words.split("\n").find((one) => UNREACHABLE.test(one));
    if (line === undefined) throw error;
    return `Maven cannot download RocketMQ: ${line.trim().slice(0, 200)}`;
  }
  return undefined;
}

export function missingRocketMq(): string | undefined {
  return process.env[MISSING_VARIABLE] ?? JavaToolchain.missing();
}
