import type { Goal } from "./goal.js";
import { judgeReadPath } from "./read-goals.js";
import { median, type Results } from "./results.js";
import type { ContestantName, Durability } from "./workload.js";

const STORES: readonly ContestantName[] = ["store-mapped", "store-channel"];
const PEERS: readonly ContestantName[] = ["lmdb", "better-sqlite3", "classic-level"];
const MIB = 1024 * 1024;
const FLAT_GROWTH = 1.1;

interface Best {
  readonly contestant: ContestantName;
  readonly value: number;
}

/** Judges the medians; of the store the better append mode counts, and is named. */
export function judge(results: Results): Goal[] {
  const fastest = (names: readonly ContestantName[], durability: Durability, size: number, inFlight: number): Best | undefined => {
    const found = names.flatMap((contestant): Best[] => {
      const value = results.figure(contestant, durability, size, inFlight, "msgPerSec");
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
    judgeRoll(results),
    judgeEventLoop(results),
    judgeMemory(results),
    ...judgeReadPath(results),
  ];
}

function judgeLatency(results: Results): Goal {
  const p50 = (contestant: ContestantName): number | undefined => results.figure(contestant, "disk", 128, 1, "p50Us");
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

function judgeRoll({ rolls }: Results): Goal {
  const near = median(rolls.map((roll) => roll.nearP9999Us));
  const steady = median(rolls.map((roll) => roll.steadyP999Us));
  return {
    name: "segment roll: p99.99 near it against steady p99.9",
    measured: rolls.length === 0 ? "-" : `${(near / steady).toFixed(2)} x (${near.toFixed(0)} against ${steady.toFixed(0)} us)`,
    wanted: "at most 1.5 x",
    reached: rolls.length === 0 ? undefined : near <= 1.5 * steady,
  };
}

function judgeEventLoop({ eventLoop }: Results): Goal {
  const delay = median(eventLoop.map((figure) => figure.delayP99Ms));
  return {
    name: "event-loop delay p99 at 80 % of the maximum rate",
    measured: eventLoop.length === 0 ? "-" : `${delay.toFixed(2)} ms`,
    wanted: "at most 2 ms",
    reached: eventLoop.length === 0 ? undefined : delay <= 2,
  };
}

function judgeMemory({ memory }: Results): Goal {
  const [figure] = memory;
  const wanted = "at most 150 MiB, flat";
  const name = "memory beyond mappings and ring";
  if (figure === undefined) return { name, measured: "-", wanted, reached: undefined };
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
  return {
    name: `${name}, ${(figure.messages / 1e6).toFixed(0)} M messages`,
    measured: `peak ${mib(figure.peakBytes)} MiB, ${mib(figure.earlyBytes)} early, ${mib(figure.lateBytes)} late`,
    wanted,
    reached: figure.peakBytes <= 150 * MIB && figure.lateBytes <= FLAT_GROWTH * figure.earlyBytes,
  };
}
