/**
 * Walks through docs/moving-between-millrace-and-rocketmq.md with a real broker, a line for each step. Argument: `5` (default) or
 * `4.9`, RocketMQ's series. Exit code 0 when every step went as the page says, or when there is no JDK or Maven.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JavaToolchain, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { BrokerWalk } from "./broker-walk.js";
import { isNetworkPrivate, isNetworkSettled, restartInPrivateNetwork } from "./private-network.js";
import { buildPrograms, RocketMqPrograms } from "./rocketmq-programs.js";

const PORT = Number(process.env.MILLRACE_BROKER_PORT ?? 21_876);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function walk(series: RocketMqSeries): Promise<void> {
  if (!isNetworkPrivate()) say("no network namespace of its own: broker and name server listen on this machine's ports");
  const directory = mkdtempSync(join(tmpdir(), "millrace-broker-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  await new BrokerWalk(new RocketMqPrograms(series, directory, PORT), series, directory, say).run();
}

async function main(): Promise<number> {
  const [series = "5"] = process.argv.slice(2);
  if (series !== "5" && series !== "4.9") throw new Error(`an argument is needed, 5 or 4.9: series=${series}`);
  const missing = JavaToolchain.missing();
  if (missing !== undefined) {
    say(`skipped: ${missing}, which RocketMQ's broker needs`);
    return 0;
  }
  if (isNetworkSettled()) {
    await walk(series);
    return 0;
  }
  buildPrograms(series);
  return await restartInPrivateNetwork(import.meta.filename, [series]);
}

try {
  process.exit(await main());
} catch (error) {
  say(`FAILED ${(error as Error).stack}`);
  process.exit(1);
}
