import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicMs } from "@millrace/shared-memory";
import { MessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { interrupted } from "../interrupted.js";
import { integer, seconds, size } from "../option-value.js";
import { fields, print, printJson } from "../print.js";
import { makeScratch } from "../scratch-directory.js";
import { checkDirectory } from "../store-directory.js";
import { UsageError } from "../usage-error.js";

interface BenchOptions {
  readonly duration: string;
  readonly messageSize: string;
  readonly inFlight: string;
  readonly sync?: true;
  readonly in: string;
  readonly json?: true;
}

const MESSAGE_SIZE_MAX = 4 * 1024 * 1024;
const SEGMENT_SIZE = 256 * 1024 * 1024;
const QUEUES = 4;
const MS_PER_SECOND = 1000;

/** `millrace bench`: the quick one. `npm run bench` of a checkout measures beside others. */
export function benchCommand(): Command {
  const command = new Command("bench")
    .summary("how fast this machine puts, in a few seconds")
    .description("Puts messages into a new store in a temporary directory, which is removed again, and says how many and how fast.")
    .option("--duration <time>", "how long", "5s")
    .option("--messageSize <size>", "length of a body", "128")
    .option("--inFlight <n>", "puts in flight", "1024")
    .option("--sync", "each durable when it is acknowledged (SYNC_FLUSH)")
    .option("--in <path>", "where the temporary directory is made: on the disk that is to be measured", tmpdir())
    .option("--json", "as JSON")
    .action(async (options: BenchOptions) => {
      const result = await measured(options);
      if (options.json) return printJson(result);
      const [p50, p99, p999] = [result.putToAckUs.p50, result.putToAckUs.p99, result.putToAckUs.p999].map(Math.round);
      print(
        fields([
          ["messages", result.messages],
          ["a second", Math.round(result.messagesPerSecond)],
          ["MiB a second", (result.bytesPerSecond / 1024 ** 2).toFixed(1)],
          ["put to answer", `p50 ${p50} µs, p99 ${p99} µs, p99.9 ${p999} µs`],
          ["flush", result.flushDiskType],
        ]),
      );
    });
  return withExamples(command, [
    ["bench", "five seconds, in the page cache"],
    ["bench --sync --messageSize 1KiB --in /var/lib", "durable, on the disk of /var/lib"],
  ]);
}

async function measured({ duration, messageSize, inFlight, sync, in: parent }: BenchOptions) {
  const bodyLength = size("messageSize", messageSize, 0, MESSAGE_SIZE_MAX);
  const window = integer("inFlight", inFlight, 1, 1_000_000);
  const durationMs = seconds("duration", duration, 0.1, 3600) * MS_PER_SECOND;
  if (bodyLength * window > 1024 ** 3)
    throw new UsageError(`more than 1 GiB in flight: --messageSize=${messageSize} --inFlight=${inFlight}`);
  checkDirectory(parent, "--in");
  const signal = interrupted();
  const root = makeScratch(parent, "millrace-bench-", "--in");
  const flushDiskType = sync ? "SYNC_FLUSH" : "ASYNC_FLUSH";
  try {
    await using store = await MessageStore.open({
      storePathRootDir: join(root, "store"),
      flushDiskType,
      mappedFileSizeCommitLog: SEGMENT_SIZE,
      signal,
    });
    const body = Buffer.alloc(bodyLength, "m");
    const began = monotonicMs();
    const elapsedMs = (): number => monotonicMs() - began;
    const isOn = (): boolean => elapsedMs() < durationMs && !signal.aborted;
    await Promise.all(Array.from({ length: window }, (_, n) => putUntil(store, body, n % QUEUES, isOn)));
    const { put, latency } = store.stats();
    const perSecond = MS_PER_SECOND / elapsedMs();
    return {
      flushDiskType,
      messageSize: bodyLength,
      inFlight: window,
      messages: put.messages,
      messagesPerSecond: put.messages * perSecond,
      bytesPerSecond: put.messages * bodyLength * perSecond,
      putToAckUs: latency.putToAckUs,
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function putUntil(store: MessageStore, body: Buffer, queueId: number, isOn: () => boolean): Promise<void> {
  while (isOn()) {
    const { status, reason = "" } = await store.putMessage({ topic: "Bench", queueId, body });
    if (status !== "PUT_OK")
      throw new Error(`a put was not acknowledged, and what is measured is none: status=${status} reason=${reason}`);
  }
}
