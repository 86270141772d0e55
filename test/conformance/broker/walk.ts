/**
 * Walks through docs/moving-between-millrace-and-rocketmq.md with a real broker, a line for each step; with `pair` through
 * docs/replication.md. Arguments: `5` (default) or `4.9`, RocketMQ's series; `pair`. Exit code 0 when every step went as the page says,
 * or when there is no JDK or Maven.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JavaToolchain, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { BrokerWalk } from "./broker-walk.js";
import { PairWalk } from "./pair-walk.js";
import { isNetworkPrivate, isNetworkSettled, restartInPrivateNetwork } from "./private-network.js";
import { buildPrograms, RocketMqPrograms } from "./rocketmq-programs.js";

const PORT = Number(process.env.MILLRACE_BROKER_PORT ?? 21_876);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function walk(series: RocketMqSeries, isPair: boolean): Promise<void> {
  if (!isNetworkPrivate()) say("no network namespace of its own: broker and name server listen on this machine's ports");
  const directory = mkdtempSync(join(tmpdir(), "millrace-broker-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  const Walk = isPair ? PairWalk : BrokerWalk;
  await new Walk(new RocketMqPrograms(series, directory, PORT), series, directory, say).run();
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const [series = "5"] = args.filter((arg) => arg !== "pair");
  if (series !== "5" && series !== "4.9") throw new Error(`an argument is needed, 5 or 4.9: series=${series}`);
  const missing = JavaToolchain.missing();
  if (missing !== undefined) {
    say(`skipped: ${missing}, which RocketMQ's broker needs`);
    return 0;
  }
  if (isNetworkSettled()) {
    await walk(series, args.includes("pair"));
    return 0;
  }
  buildPrograms(series);
  return await restartInPrivateNetwork(import.meta.filename, args);
}

try {
  process.exit(await main());
} catch (error) {
  say(`FAILED ${(error as Error).stack}`);
  process.exit(1);
}
