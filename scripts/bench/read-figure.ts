import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import { measureJavaReads } from "./java-store-figure.js";
import { LevelReadContender } from "./level-read-contender.js";
import { LmdbReadContender } from "./lmdb-read-contender.js";
import { type ReadContender, ReadPass } from "./read-contender.js";
import type { ReadFigure, ReadJob } from "./read-path-job.js";
import { SqliteReadContender } from "./sqlite-read-contender.js";
import { StoreReadContender } from "./store-read-contender.js";

const SEED = 0x9e3779b9;
const CLOCK_EVERY = 256;

async function open({ contestant, directory, messages }: ReadJob): Promise<ReadContender> {
  switch (contestant) {
    case "store":
      return await StoreReadContender.open(directory, messages);
    case "lmdb":
      return await LmdbReadContender.open(directory, messages);
    case "better-sqlite3":
      return new SqliteReadContender(directory, messages);
    case "classic-level":
      return await LevelReadContender.open(directory, messages);
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
function measureGets(contender: ReadContender, messages: number, seconds: number): LatencyHistogram {
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
      const check = contender.get(number);
      endUs = monotonicUs();
      latencyUs.record(endUs - startUs);
      if (check !== (number & 0xff)) throw new Error(`not the message that was put: number=${number} read=${check}`);
    }
  }
  return latencyUs;
}

/** Reads what is in the page cache: all of it in order, and one message at random. */
export async function measureReads(job: ReadJob): Promise<ReadFigure> {
  if (job.contestant === "java") return await measureJavaReads(job);
  const contender = await open(job);
  const scanMsgPerSec = await measurePass(job, (pass) => contender.scan(pass));
  measureGets(contender, job.messages, job.warmUpSeconds);
  const gets = measureGets(contender, job.messages, job.seconds);
  const figure = { scanMsgPerSec, getP50Us: gets.quantile(0.5), getP99Us: gets.quantile(0.99) };
  const consumed = contender instanceof StoreReadContender ? await measurePass(job, (pass) => contender.consume(pass)) : undefined;
  await contender.close();
  return consumed === undefined ? figure : { ...figure, consumeMsgPerSec: consumed };
}
