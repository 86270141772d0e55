import { type ContestantName, DRIVERS, type Durability, JAVA_CONTESTANTS } from "../contestants/workload.js";
import type { Goal } from "./goal.js";
import { producersRatio } from "./producers-figure.js";
import { type CellFigure, cellName, median, medianOf, type Results } from "./results.js";
import { formatRate } from "./table.js";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Cores from which the goals of many cores hold. */
const MANY_CORES = 8;

const STORES: readonly ContestantName[] = ["store-mapped", "store-channel"];
const PEERS: readonly ContestantName[] = ["lmdb", "better-sqlite3", "classic-level", ...JAVA_CONTESTANTS];

/** On two cores, on many. undefined: nothing is wanted there. */
type Wanted = readonly [two: number | undefined, many: number | undefined];

/** A value in the unit of its goal, and how it came about. */
interface Reached {
  readonly value: number;
  readonly detail: string;
}

/** A line of the table. */
interface FigureToReach {
  readonly workload: string;
  readonly wanted: Wanted;
  readonly unit: string;
  /** Digits shown. */
  readonly digits: number;
  /** Whether the goal is the least that is good, or the most. */
  readonly is: "at least" | "at most";
  /** What `--only` calls what must be measured for it. */
  readonly needs: readonly string[];
  /** undefined: not measured. */
  readonly measure: (results: Results) => Reached | undefined;
  /** Whether it is one of the README's lines. */
  readonly isInReadme?: boolean;
}

interface Load {
  readonly durability: Durability;
  readonly messageSize: number;
  readonly inFlight: number;
}

interface Best {
  readonly contestant: ContestantName;
  readonly value: number;
}

const FLUSH = { "page-cache": "ASYNC_FLUSH", disk: "SYNC_FLUSH" } as const;
const ASYNC_128: Load = { durability: "page-cache", messageSize: 128, inFlight: 1024 };
const SYNC_ONE: Load = { durability: "disk", messageSize: 128, inFlight: 1 };

function cells(load: Load, contestants: readonly ContestantName[]): string[] {
  return contestants.map((contestant) => cellName({ ...load, contestant }));
}

function medianIn(results: Results, { durability, messageSize, inFlight }: Load, contestant: ContestantName, figure: CellFigure) {
  return results.median(contestant, durability, messageSize, inFlight, figure);
}

/** Sorted, the least first. */
function ranked(results: Results, load: Load, contestants: readonly ContestantName[], figure: CellFigure): Best[] {
  const found = contestants.flatMap((contestant): Best[] => {
    const value = medianIn(results, load, contestant, figure);
    return value === undefined ? [] : [{ contestant, value }];
  });
  return found.sort((a, b) => a.value - b.value);
}

/** The rate of the faster append mode against the fastest peer. */
function rateAgainst(load: Load, peers: readonly ContestantName[], wanted: Wanted, isInReadme: boolean): FigureToReach {
  const { durability, messageSize, inFlight } = load;
  const size = messageSize === 1024 ? "1 KiB" : `${messageSize} B`;
  return {
    workload: `${FLUSH[durability]} ${size}, ${inFlight} in flight, against ${peers.length === 1 ? peers[0] : "the best peer"}`,
    wanted,
    unit: " x",
    digits: 2,
    is: "at least",
    needs: cells(load, [...STORES, ...peers]),
    isInReadme,
    measure: (results) => {
      const store = ranked(results, load, STORES, "msgPerSec").at(-1);
      const peer = ranked(results, load, peers, "msgPerSec").at(-1);
      if (store === undefined || peer === undefined) return undefined;
      const shown = ({ contestant, value }: Best): string => {
        const cpuNs = medianIn(results, load, contestant, "cpuNs");
        return `${contestant} ${formatRate(value)}/s at ${cpuNs === undefined ? "?" : (cpuNs / 1000).toFixed(2)} us of CPU`;
      };
      return { value: store.value / peer.value, detail: `${shown(store)}; ${shown(peer)}` };
    },
  };
}

function latencyAgainstRaw(figure: "p50Us" | "p999Us", name: string, wanted: Wanted, isInReadme: boolean): FigureToReach {
  return {
    workload: `SYNC_FLUSH 128 B, one in flight, ${name} against write + fdatasync`,
    wanted,
    unit: " x",
    digits: 2,
    is: "at most",
    needs: cells(SYNC_ONE, [...STORES, "raw"]),
    isInReadme,
    measure: (results) => {
      const [store] = ranked(results, SYNC_ONE, STORES, figure);
      const [raw] = ranked(results, SYNC_ONE, ["raw"], figure);
      if (store === undefined || raw === undefined) return undefined;
      const us = ({ contestant, value }: Best): string => `${contestant} ${value.toFixed(0)} us`;
      return { value: store.value / raw.value, detail: `${us(store)}; ${us(raw)}` };
    },
  };
}

/** Of the same round, because rounds differ more from each other than the two do. */
const WITH_KEYS: FigureToReach = {
  workload: "ASYNC_FLUSH 128 B with a key and a tag each, against without",
  wanted: [0.6, 0.8],
  unit: " x",
  digits: 2,
  is: "at least",
  needs: cells(ASYNC_128, ["store-mapped", "store-keys"]),
  measure: (results) => {
    const [plain, keyed] = (["store-mapped", "store-keys"] as const).map((name) => results.rates(name, "page-cache", 128, 1024));
    const shares = (keyed ?? []).flatMap((rate, round) => (plain?.[round] === undefined ? [] : [rate / plain[round]]));
    const value = medianOf(shares, (share) => share);
    return value === undefined ? undefined : { value, detail: `store-keys ${formatRate(median(keyed ?? []))}/s` };
  },
};

const PRODUCERS: FigureToReach = {
  workload: "ASYNC_FLUSH 128 B, 4 producer threads, against one",
  wanted: [undefined, 2.5],
  unit: " x",
  digits: 2,
  is: "at least",
  needs: ["producers"],
  measure: (results) => {
    const value = producersRatio(results);
    return value === undefined ? undefined : { value, detail: "" };
  },
};

const READABLE: FigureToReach = {
  workload: "put to readable at half the maximum rate, p99",
  wanted: [3, 0.5],
  unit: " ms",
  digits: 2,
  is: "at most",
  needs: ["dispatch-lag"],
  isInReadme: true,
  measure: ({ dispatchLags }) => {
    const us = medianOf(dispatchLags, (result) => result.polledP99Us);
    const rate = medianOf(dispatchLags, (result) => result.msgPerSec);
    return us === undefined || rate === undefined ? undefined : { value: us / 1000, detail: `at ${formatRate(rate)}/s` };
  },
};

const MAIN_THREAD: FigureToReach = {
  workload: "main thread per put, ASYNC_FLUSH 128 B, driver excluded",
  wanted: [0.45, 0.5],
  unit: " us",
  digits: 2,
  is: "at most",
  needs: cells(ASYNC_128, ["store-mapped", "driver"]),
  measure: (results) => {
    const main = medianIn(results, ASYNC_128, "store-mapped", "mainNs");
    const driver = medianIn(results, ASYNC_128, "driver", "mainNs");
    if (main === undefined || driver === undefined) return undefined;
    return { value: (main - driver) / 1000, detail: `the driver ${(driver / 1000).toFixed(2)} us` };
  },
};

const WHOLE_PROCESS: FigureToReach = {
  workload: "CPU of the whole process per put, ASYNC_FLUSH 128 B, dispatching and driver included",
  wanted: [1.2, undefined],
  unit: " us",
  digits: 2,
  is: "at most",
  needs: cells(ASYNC_128, ["store-mapped"]),
  measure: (results) => {
    const ns = medianIn(results, ASYNC_128, "store-mapped", "cpuNs");
    return ns === undefined ? undefined : { value: ns / 1000, detail: "" };
  },
};

function opening(which: "new" | "closed" | "killed", wanted: number): FigureToReach {
  return {
    workload: which === "new" ? "open: new" : `open: a log of --gib (10), ${which === "closed" ? "closed cleanly" : "killed"}`,
    wanted: [wanted, wanted],
    unit: " ms",
    digits: 0,
    is: "at most",
    needs: ["opening"],
    isInReadme: which === "killed",
    measure: ({ openings }) => {
      const [result] = openings;
      if (result === undefined) return undefined;
      const detail = which === "new" ? "" : `${(result.logBytes / GIB).toFixed(1)} GiB`;
      return { value: 1000 * median(result[`${which}Seconds`]), detail };
    },
  };
}

const NEW_BLOCKS: FigureToReach = {
  workload: "blocks on disk of a new store with one message",
  wanted: [8, 8],
  unit: " MiB",
  digits: 1,
  is: "at most",
  needs: ["opening"],
  measure: ({ openings: [result] }) => (result === undefined ? undefined : { value: result.newBlocksBytes / MIB, detail: "" }),
};

const READING: FigureToReach = {
  workload: "getMessage of 32 views in order, against RocketMQ's",
  wanted: [1, 1],
  unit: " x",
  digits: 2,
  is: "at least",
  needs: ["consume-get/store", "consume-get/java"],
  isInReadme: true,
  measure: (results) => {
    const store = results.readMedian("store", "scanMsgPerSec");
    const java = results.readMedian("java", "scanMsgPerSec");
    if (store === undefined || java === undefined) return undefined;
    return { value: store / java, detail: `${formatRate(store)}/s; RocketMQ ${formatRate(java)}/s` };
  },
};

const FIGURES_TO_REACH: readonly FigureToReach[] = [
  rateAgainst(ASYNC_128, PEERS, [1.2, 1.8], true),
  rateAgainst({ ...ASYNC_128, messageSize: 1024 }, PEERS, [1.2, 1.6], false),
  rateAgainst({ durability: "disk", messageSize: 128, inFlight: 1024 }, PEERS, [1, 1.6], true),
  rateAgainst({ durability: "disk", messageSize: 128, inFlight: 64 }, ["better-sqlite3"], [1, 1.3], false),
  rateAgainst({ durability: "disk", messageSize: 1024, inFlight: 1024 }, PEERS, [1.5, 2], false),
  latencyAgainstRaw("p50Us", "p50", [1.4, 1.4], true),
  latencyAgainstRaw("p999Us", "p99.9", [5, 3], false),
  WITH_KEYS,
  PRODUCERS,
  READABLE,
  MAIN_THREAD,
  WHOLE_PROCESS,
  opening("new", 150),
  opening("closed", 200),
  opening("killed", 600),
  NEW_BLOCKS,
  READING,
];

/** What `--figures` measures, as `--only` names it: what the lines need, and what each driver costs. */
export function figuresNeed(): string[] {
  return [...new Set([...FIGURES_TO_REACH.flatMap(({ needs }) => needs), ...cells(ASYNC_128, DRIVERS)])];
}

/** A line of the table, judged by the goal for so many cores. */
export interface JudgedFigure extends Goal {
  readonly detail: string;
  readonly isInReadme: boolean;
}

export function judgeFigures(results: Results, cores: number): JudgedFigure[] {
  return FIGURES_TO_REACH.map(({ workload, wanted: [two, many], unit, digits, is, measure, isInReadme = false }) => {
    const wanted = cores >= MANY_CORES ? many : two;
    const reached = measure(results);
    const show = (value: number): string => `${value.toFixed(digits)}${unit}`;
    const isGood = (value: number, limit: number): boolean => (is === "at least" ? value >= limit : value <= limit);
    return {
      name: workload,
      measured: reached === undefined ? "-" : show(reached.value),
      wanted: wanted === undefined ? "-" : `${is} ${wanted}${unit}`,
      reached: wanted === undefined || reached === undefined ? undefined : isGood(reached.value, wanted),
      detail: reached?.detail ?? "",
      isInReadme,
    };
  });
}
