import { READ_MESSAGE_SIZE } from "../contestants/read-contestant.js";
import type { JavaContestantName, Measurement } from "../contestants/workload.js";
import { type JavaConfiguration, JavaProcess } from "../java/java-process.js";
import type { JavaStoreJob, ReadJob, ReadResult } from "./job.js";
import { touchMemory } from "./touched-memory.js";

const COMPILE_SIZE = 128;
const COMPILE_WINDOW = 1024;

const CONFIGURATIONS: Readonly<Record<JavaContestantName, JavaConfiguration>> = {
  "java-default": "default",
  "java-warm": "warm",
  "java-pool": "pool",
  "java-driver": "default",
};

const milliseconds = (seconds: number): number => Math.round(1000 * seconds);

/** In the order of the job's cells. */
export async function measureJavaStore(job: JavaStoreJob): Promise<Measurement[]> {
  const { java, contestant, durability, cells, seconds, warmUpSeconds, directory } = job;
  const flushDiskType = durability === "disk" ? "SYNC_FLUSH" : "ASYNC_FLUSH";
  const program = new JavaProcess(java, CONFIGURATIONS[contestant], flushDiskType, directory);
  const put = (messageSize: number, inFlight: number, warmUpMs: number, ms: number): Promise<Measurement> =>
    program.ask(contestant === "java-driver" ? "drive" : "put", messageSize, inFlight, warmUpMs, ms);
  await put(COMPILE_SIZE, 1, 0, 1); // makes the first segments, and waits for them
  await put(COMPILE_SIZE, COMPILE_WINDOW, 0, milliseconds(warmUpSeconds)); // until the put path is compiled, whatever comes first
  const measurements: Measurement[] = [];
  for (const { messageSize, inFlight } of cells) {
    if (durability === "page-cache" && contestant !== "java-driver") touchMemory(directory, seconds + warmUpSeconds);
    measurements.push(await put(messageSize, inFlight, milliseconds(warmUpSeconds), milliseconds(seconds)));
  }
  await program.end();
  return measurements;
}

export async function measureJavaReads({ java, directory, messages, warmUpSeconds, seconds }: ReadJob): Promise<ReadResult> {
  if (java === undefined) throw new Error("no Java store was prepared");
  const program = new JavaProcess(java, "default", "ASYNC_FLUSH", directory);
  const ms = [milliseconds(warmUpSeconds), milliseconds(seconds)];
  const figure = await program.ask<ReadResult>("read", READ_MESSAGE_SIZE, messages, ...ms);
  await program.end();
  return figure;
}
