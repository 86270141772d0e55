import { CONTESTANTS, type ContestantName, type Durability, JAVA_CONTESTANTS, type Measurement } from "../contestants/workload.js";
import type { JavaPeer } from "../java/java-peer.js";
import { runInChild } from "../measurements/child-measurement.js";
import type { Bench, Figure, Task } from "./figure.js";
import type { Goal } from "./goal.js";
import { type Cell, cellName, type Results } from "./results.js";
import { formatRate, formatUs, type Row, table } from "./table.js";
import { DURABILITIES, isJavaCell, MESSAGE_SIZES, wantedCells, wantedHere } from "./wanted-cells.js";

const STORES: readonly ContestantName[] = ["store-mapped", "store-channel"];
const PEERS: readonly ContestantName[] = ["lmdb", "better-sqlite3", "classic-level"];
interface Best {
  readonly contestant: ContestantName;
  readonly value: number;
}

/** What an acknowledgement means, contestant by contestant: as configured here. */
const MEANING: Readonly<Record<Durability, Readonly<Record<ContestantName, string>>>> = {
  "page-cache": {
    "store-mapped": "ASYNC_FLUSH",
    "store-channel": "ASYNC_FLUSH, writeWithoutMmap",
    "store-undispatched": "ASYNC_FLUSH, dispatch held back",
    raw: "fs.writeSync per group",
    lmdb: "noSync",
    "better-sqlite3": "WAL, synchronous=OFF, a transaction per group",
    "classic-level": "sync:false, a batch per group",
    "java-default": "ASYNC_FLUSH",
    "java-warm": "ASYNC_FLUSH, warmMapedFileEnable",
    "java-pool": "ASYNC_FLUSH, transientStorePoolEnable: in the process's memory",
  },
  disk: {
    "store-mapped": "SYNC_FLUSH",
    "store-channel": "SYNC_FLUSH, writeWithoutMmap",
    "store-undispatched": "SYNC_FLUSH, dispatch held back",
    raw: "fs.writeSync + fdatasyncSync per group",
    lmdb: "overlappingSync:false, transactions by lmdb",
    "better-sqlite3": "WAL, synchronous=FULL, a transaction per group",
    "classic-level": "sync:true, a batch per group",
    "java-default": "SYNC_FLUSH",
    "java-warm": "SYNC_FLUSH, warmMapedFileEnable",
    "java-pool": "SYNC_FLUSH, transientStorePoolEnable",
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
  goals: judgeWorkloads,
  lines: (results) =>
    DURABILITIES.flatMap((durability) => MESSAGE_SIZES.flatMap((messageSize) => cellLines(results, durability, messageSize))),
};

/** Each cell once, contestants of a workload one after another. All of one durability, RocketMQ's store last. */
function workloadRound(bench: Bench, cells: readonly Cell[]): Task[] {
  const { options, directory, java } = bench;
  const { seconds, warmUpSeconds } = options;
  const ours = cells.filter((cell) => !isJavaCell(cell));
  const tasks = ours.map(
    (cell): Task =>
      async (results) => {
        const measurement = await runInChild<Measurement>(directory, (empty) => ({
          kind: "workload",
          workload: { ...cell, directory: empty, seconds, warmUpSeconds },
        }));
        results.add(cell, measurement);
      },
  );
  return java === undefined ? tasks : [...tasks, ...javaStoreRound(bench, java, cells)];
}

/** One round of RocketMQ's store: a JVM for all of a configuration's cells. All cells have the same durability. */
function javaStoreRound({ options, directory }: Bench, java: JavaPeer, cells: readonly Cell[]): Task[] {
  const { seconds } = options;
  return JAVA_CONTESTANTS.flatMap((contestant): Task[] => {
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
        directory: empty,
      }));
      for (const [index, measurement] of measurements.entries()) results.add(own[index] as Cell, measurement);
    };
    return [task];
  });
}

/** Judges the medians; of the store the better append mode counts, and is named. */
function judgeWorkloads(results: Results): Goal[] {
  const fastest = (names: readonly ContestantName[], durability: Durability, size: number, inFlight: number): Best | undefined => {
    const found = names.flatMap((contestant): Best[] => {
      const value = results.median(contestant, durability, size, inFlight, "msgPerSec");
      return value === undefined ? [] : [{ contestant, value }];
    });
    return found.sort((a, b) => b.value - a.value)[0];
  };
  const rate = (size: number, wanted: number): Goal => {
    const store = fastest(STORES, "page-cache", size, 1024);
    return {
      name: `ASYNC_FLUSH, one promise per message, ${size} B`,
      measured: store === undefined ? "-" : `${(store.value / 1e6).toFixed(2)} M/s (${store.contestant})`,
      wanted: `${wanted.toFixed(1)} M/s`,
      reached: store && store.value >= wanted * 1e6,
    };
  };
  const against = (peers: readonly ContestantName[], size: number, inFlight: number, wanted: number): Goal => {
    const store = fastest(STORES, "disk", size, inFlight);
    const peer = fastest(peers, "disk", size, inFlight);
    const complete = store !== undefined && peer !== undefined;
    return {
      name: `SYNC_FLUSH, ${inFlight} in flight, ${size} B`,
      measured: complete ? `${(store.value / peer.value).toFixed(2)} x ${peer.contestant} (${store.contestant})` : "-",
      wanted: `${wanted} x ${peers.length === 1 ? peers[0] : "the best peer"}`,
      reached: complete ? store.value >= wanted * peer.value : undefined,
    };
  };
  return [
    rate(128, 1.0),
    rate(1024, 0.6),
    against(["lmdb"], 128, 1024, 1.5),
    against(PEERS, 1024, 1024, 3),
    against(["better-sqlite3"], 128, 64, 1.2),
    judgeLatency(results),
  ];
}

function judgeLatency(results: Results): Goal {
  const p50 = (contestant: ContestantName): number | undefined => results.median(contestant, "disk", 128, 1, "p50Us");
  const raw = p50("raw");
  const stores = STORES.map(p50).filter((value) => value !== undefined);
  const ratio = raw === undefined || stores.length === 0 ? undefined : Math.min(...stores) / raw;
  return {
    name: "SYNC_FLUSH, 1 in flight, p50",
    measured: ratio === undefined ? "-" : `${ratio.toFixed(2)} x raw write + fdatasync`,
    wanted: "at most 1.5 x",
    reached: ratio === undefined ? undefined : ratio <= 1.5,
  };
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
      return rate === undefined ? "-" : `${formatRate(rate)} (${formatUs(p50)} / ${formatUs(p99)})`;
    });
    return [contestant, MEANING[durability][contestant], ...columns];
  });
  const head = ["", "acknowledged by", ...windows.map((inFlight) => `${inFlight} in flight`)];
  return [`## ${TITLES[durability]}, ${messageSize} B: messages/s (p50 / p99)`, "", ...table(head, rows), ""];
}
