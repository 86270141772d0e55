import { runInChild } from "../measurements/child-measurement.js";
import { READ_CONTESTANTS, type ReadContestantName, type ReadResult } from "../measurements/job.js";
import type { Bench, Figure, Task } from "./figure.js";
import { goalOf } from "./goal.js";
import type { Results } from "./results.js";
import { formatRate, formatUs, type Row, table } from "./table.js";

/** How each reads, as configured here. */
const WAYS: Readonly<Record<ReadContestantName, string>> = {
  store: "getMessage(32) and release",
  lmdb: "getRange; getBinaryFast",
  "better-sqlite3": "SELECT of 1024 rows; of one, mmap_size 1 GiB",
  "classic-level": "values().nextv(1024); getSync",
  java: "RocketMQ's getMessage(32) and release",
};

const partOf = (contestant: ReadContestantName): string => `consume-get/${contestant}`;

/** Reading in order and at random, contestant after contestant. */
export const CONSUME_GET: Figure = {
  name: "consume-get",
  meaning: "messages read: consume-get/contestant, as in consume-get/lmdb",
  parts: READ_CONTESTANTS.map(partOf),
  round: (bench) =>
    READ_CONTESTANTS.filter(
      (contestant) => bench.wants(partOf(contestant)) && (contestant !== "java" || bench.java !== undefined),
    ).map((contestant) => readTask(contestant, bench)),
  goals: (results) => {
    const scan = results.readMedian("store", "scanMsgPerSec");
    const get = results.readMedian("store", "getP50Us");
    const rate = (value: number): string => `${(value / 1e6).toFixed(2)} M/s`;
    const us = (value: number): string => `${value.toFixed(1)} us`;
    return [
      goalOf("sequential consume as views, 128 B", "1.5 M/s", scan, rate, (value) => value >= 1.5e6),
      goalOf("random get of one message, p50", "at most 5 us", get, us, (value) => value <= 5),
    ];
  },
  heading: "Reading 128 B messages from the page cache",
  lines: readLines,
};

function readTask(contestant: ReadContestantName, { options, directory, java }: Bench): Task {
  const { seconds, warmUpSeconds, quick } = options;
  const messages = quick ? 100_000 : 500_000;
  return async (results) => {
    const result = await runInChild<ReadResult>(directory, (empty) => ({
      kind: "read",
      contestant,
      messages,
      seconds,
      warmUpSeconds,
      directory: empty,
      java,
    }));
    results.addRead(contestant, result);
  };
}

function readLines(results: Results): string[] {
  const rows = READ_CONTESTANTS.flatMap((contestant): Row[] => {
    const scan = results.readMedian(contestant, "scanMsgPerSec");
    if (scan === undefined) return [];
    const p50 = results.readMedian(contestant, "getP50Us");
    const p99 = results.readMedian(contestant, "getP99Us");
    return [[contestant, WAYS[contestant], formatRate(scan), `${formatUs(p50)} / ${formatUs(p99)}`]];
  });
  if (rows.length === 0) return [];
  const consume = results.readMedian("store", "consumeMsgPerSec");
  const head = ["", "reads by", "in order, messages/s", "one at random (p50 / p99)"];
  const copies = consume === undefined ? [] : ["", `\`consume()\`, which gives copies: ${formatRate(consume)} messages/s.`];
  return [...table(head, rows), ...copies];
}
