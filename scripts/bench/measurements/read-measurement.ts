import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import { LevelReadContestant } from "../contestants/level-read-contestant.js";
import { LmdbReadContestant } from "../contestants/lmdb-read-contestant.js";
import { type ReadContestant, ReadPass } from "../contestants/read-contestant.js";
import { SqliteReadContestant } from "../contestants/sqlite-read-contestant.js";
import { StoreReadContestant } from "../contestants/store-read-contestant.js";
import { measureJavaReads } from "./java-store-measurement.js";
import type { ReadJob, ReadResult } from "./job.js";

const SEED = 0x9e3779b9;
const CLOCK_EVERY = 256;

async function open({ contestant, directory, messages }: ReadJob): Promise<ReadContestant> {
  switch (contestant) {
    case "store":
      return await StoreReadContestant.open(directory, messages);
    case "lmdb":
      return await LmdbReadContestant.open(directory, messages);
    case "better-sqlite3":
      return new SqliteReadContestant(directory, messages);
    case "classic-level":
      return await LevelReadContestant.open(directory, messages);
    case "java":
      throw new Error("it reads in a process of its own");
  }
}

/** Messages a second, after a warm-up. */
async function measurePass(job: ReadJob, read: (pass: ReadPass) => void | Promise<void>): Promise<number> {
  await read(new ReadPass(job.messages, monotonicUs() + job.warmUpSeconds * 1e6));
  const startUs = monotonicUs();
  const pass = new ReadPass(job.messages, startUs + job.seconds * 1e6);
  await read(pass);
  const seconds = (monotonicUs() - startUs) / 1e6;
  pass.check();
  return pass.read / seconds;
}

/** The clock, two readings of it, is part of each latency. */
function measureGets(contestant: ReadContestant, messages: number, seconds: number): LatencyHistogram {
  const latencyUs = new LatencyHistogram();
  let random = SEED;
  const deadlineUs = monotonicUs() + seconds * 1e6;
  for (let endUs = 0; endUs < deadlineUs; ) {
    for (let i = 0; i < CLOCK_EVERY; i++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const number = (random >>> 0) % messages;
      const startUs = monotonicUs();
      const check = contestant.get(number);
      endUs = monotonicUs();
      latencyUs.record(endUs - startUs);
      if (check !== (number & 0xff)) throw new Error(`not the message that was put: number=${number} read=${check}`);
    }
  }
  return latencyUs;
}

/** Reads what is in the page cache: all of it in order, and one message at random. */
export async function measureReads(job: ReadJob): Promise<ReadResult> {
  if (job.contestant === "java") return await measureJavaReads(job);
  const contestant = await open(job);
  const scanMsgPerSec = await measurePass(job, (pass) => contestant.scan(pass));
  measureGets(contestant, job.messages, job.warmUpSeconds);
  const gets = measureGets(contestant, job.messages, job.seconds);
  const figure = { scanMsgPerSec, getP50Us: gets.quantile(0.5), getP99Us: gets.quantile(0.99) };
  const consumed =
    contestant instanceof StoreReadContestant ? await measurePass(job, (pass) => contestant.consume(pass)) : undefined;
  await contestant.close();
  return consumed === undefined ? figure : { ...figure, consumeMsgPerSec: consumed };
}
