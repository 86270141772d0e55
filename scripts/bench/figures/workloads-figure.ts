import { CONTESTANTS, type ContestantName, type Durability, isJavaContestant, type Measurement } from "../contestants/workload.js";
import type { JavaPeer } from "../java/java-peer.js";
import { runInChild } from "../measurements/child-measurement.js";
import type { Bench, Figure, Task } from "./figure.js";
import { type Cell, cellName, type Results } from "./results.js";
import { formatRate, formatSpread, formatUs, type Row, table } from "./table.js";
import { DURABILITIES, isJavaCell, MESSAGE_SIZES, wantedCells, wantedHere } from "./wanted-cells.js";

/** What an acknowledgement means, contestant by contestant: as configured here. */
const MEANING: Readonly<Record<Durability, Readonly<Record<ContestantName, string>>>> = {
  "page-cache": {
    "store-mapped": "ASYNC_FLUSH",
    "store-channel": "ASYNC_FLUSH, writeWithoutMmap",
    "store-undispatched": "ASYNC_FLUSH, dispatch held back",
    "store-keys": "ASYNC_FLUSH, a key and a tag in each message",
    driver: "nothing: what the driver costs, a promise a message",
    "driver-group": "nothing: what the driver costs, a promise a group",
    raw: "fs.writeSync per group",
    lmdb: "noSync",
    "better-sqlite3": "WAL, synchronous=OFF, a transaction per group",
    "classic-level": "sync:false, a batch per group",
    "java-default": "ASYNC_FLUSH",
    "java-warm": "ASYNC_FLUSH, warmMapedFileEnable",
    "java-pool": "ASYNC_FLUSH, transientStorePoolEnable: in the process's memory",
    "java-driver": "nothing: what RocketMQ's driver costs",
  },
  disk: {
    "store-mapped": "SYNC_FLUSH",
    "store-channel": "SYNC_FLUSH, writeWithoutMmap",
    "store-undispatched": "SYNC_FLUSH, dispatch held back",
    "store-keys": "SYNC_FLUSH, a key and a tag in each message",
    driver: "nothing: what the driver costs, a promise a message",
    "driver-group": "nothing: what the driver costs, a promise a group",
    raw: "fs.writeSync + fdatasyncSync per group",
    lmdb: "overlappingSync:false, transactions by lmdb",
    "better-sqlite3": "WAL, synchronous=FULL, a transaction per group",
    "classic-level": "sync:true, a batch per group",
    "java-default": "SYNC_FLUSH",
    "java-warm": "SYNC_FLUSH, warmMapedFileEnable",
    "java-pool": "SYNC_FLUSH, transientStorePoolEnable",
    "java-driver": "nothing: what RocketMQ's driver costs",
  },
};

const TITLES: Readonly<Record<Durability, string>> = {
  "page-cache": "Acknowledged when in the page cache",
  disk: "Acknowledged after fdatasync",
};

/** Puts: each contestant at each durability, message size and number in flight. */
export const WORKLOADS: Figure = {
  name: "workloads",
  meaning: "puts: durability/bytes/in flight/contestant, as in disk/1024/64/lmdb",
  parts: wantedCells(() => true).map(cellName),
  round: (bench) =>
    DURABILITIES.flatMap((durability) =>
      workloadRound(
        bench,
        wantedHere(bench).filter((cell) => cell.durability === durability),
      ),
    ),
  lines: (results) =>
    DURABILITIES.flatMap((durability) => MESSAGE_SIZES.flatMap((messageSize) => cellLines(results, durability, messageSize))),
};

/** Each cell once, contestants of a workload one after another. All of one durability, RocketMQ's store last. */
function workloadRound(bench: Bench, cells: readonly Cell[]): Task[] {
  const { options, directory, java } = bench;
  const { seconds, warmUpSeconds } = options;
  const isSampled = options.report !== undefined;
  const ours = cells.filter((cell) => !isJavaCell(cell));
  const tasks = ours.map(
    (cell): Task =>
      async (results) => {
        const measurement = await runInChild<Measurement>(directory, (empty) => ({
          kind: "workload",
          workload: { ...cell, directory: empty, seconds, warmUpSeconds, isSampled },
        }));
        results.add(cell, measurement);
      },
  );
  return java === undefined ? tasks : [...tasks, ...javaStoreRound(bench, java, cells)];
}

/** One round of RocketMQ's store: a JVM for all of a configuration's cells. All cells have the same durability. */
function javaStoreRound({ options, directory }: Bench, java: JavaPeer, cells: readonly Cell[]): Task[] {
  const { seconds, warmUpSeconds } = options;
  return CONTESTANTS.filter(isJavaContestant).flatMap((contestant): Task[] => {
    const own = cells.filter((cell) => cell.contestant === contestant);
    const [first] = own;
    if (first === undefined) return [];
    const task: Task = async (results) => {
      const measurements = await runInChild<Measurement[]>(directory, (empty) => ({
        kind: "java-store",
        java,
        contestant,
        durability: first.durability,
        cells: own,
        seconds,
        warmUpSeconds,
        directory: empty,
      }));
      for (const [index, measurement] of measurements.entries()) results.add(own[index] as Cell, measurement);
    };
    return [task];
  });
}

function cellLines(results: Results, durability: Durability, messageSize: number): string[] {
  const cells = [...results.cells.values()].filter(
    ({ cell }) => cell.durability === durability && cell.messageSize === messageSize,
  );
  const windows = [...new Set(cells.map(({ cell }) => cell.inFlight))].sort((a, b) => a - b);
  const present = CONTESTANTS.filter((name) => cells.some(({ cell }) => cell.contestant === name));
  if (present.length === 0) return [];
  const rows = present.map((contestant): Row => {
    const columns = windows.map((inFlight) => {
      const rate = results.median(contestant, durability, messageSize, inFlight, "msgPerSec");
      const p50 = results.median(contestant, durability, messageSize, inFlight, "p50Us");
      const p99 = results.median(contestant, durability, messageSize, inFlight, "p99Us");
      const cpuNs = results.median(contestant, durability, messageSize, inFlight, "cpuNs");
      if (rate === undefined || cpuNs === undefined) return "-";
      const spread = formatSpread(results.rates(contestant, durability, messageSize, inFlight));
      return `${formatRate(rate)}${spread} (${formatUs(p50)} / ${formatUs(p99)}), ${(cpuNs / 1000).toFixed(2)} us`;
    });
    return [contestant, MEANING[durability][contestant], ...columns];
  });
  const head = ["", "acknowledged by", ...windows.map((inFlight) => `${inFlight} in flight`)];
  return [`## ${TITLES[durability]}, ${messageSize} B: messages/s (p50 / p99), CPU a message`, "", ...table(head, rows), ""];
}
