import type { Goal } from "./goal.js";
import { median, type Results } from "./results.js";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** A lag that does not grow: at most this much more late in the run than early, or less than this. */
const BOUNDED_GROWTH = 1.5;
const BOUNDED_BYTES = 16 * MIB;

/** Judges what was measured of the read path. */
export function judgeReadPath(results: Results): Goal[] {
  return [
    ...judgeDispatchLag(results),
    judgeKeepUp(results),
    ...judgeReads(results),
    judgeRecovery(results),
    judgeWithDispatch(results, 128),
    judgeWithDispatch(results, 1024),
  ];
}

function goal(name: string, wanted: string, value: number | undefined, show: (value: number) => string, reached: boolean): Goal {
  return value === undefined
    ? { name, measured: "-", wanted, reached: undefined }
    : { name, measured: show(value), wanted, reached };
}

function medianOf<T>(figures: readonly T[], value: (figure: T) => number): number | undefined {
  return figures.length === 0 ? undefined : median(figures.map(value));
}

function judgeDispatchLag({ dispatchLags }: Results): Goal[] {
  const p50 = medianOf(dispatchLags, (figure) => figure.polledP50Us);
  const p99 = medianOf(dispatchLags, (figure) => figure.polledP99Us);
  const name = "put to readable at half the maximum rate";
  const us = (value: number): string => `${value.toFixed(0)} us`;
  return [
    goal(`${name}, p50`, "at most 100 us", p50, us, (p50 ?? 0) <= 100),
    goal(`${name}, p99`, "at most 1000 us", p99, us, (p99 ?? 0) <= 1000),
  ];
}

function judgeKeepUp({ keepUps }: Results): Goal {
  const [figure] = keepUps;
  const wanted = "does not grow";
  if (figure === undefined) return { name: "dispatch keeps up, 1024 B", measured: "-", wanted, reached: undefined };
  const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
  return {
    name: `dispatch keeps up, 1024 B, ${(figure.bytes / GIB).toFixed(1)} GiB`,
    measured: `lag at most ${mib(figure.maxLagBytes)} MiB, ${mib(figure.earlyLagBytes)} early, ${mib(figure.lateLagBytes)} late`,
    wanted,
    reached: figure.lateLagBytes <= Math.max(BOUNDED_BYTES, BOUNDED_GROWTH * figure.earlyLagBytes),
  };
}

function judgeReads(results: Results): Goal[] {
  const scan = results.readFigure("store", "scanMsgPerSec");
  const get = results.readFigure("store", "getP50Us");
  const rate = (value: number): string => `${(value / 1e6).toFixed(2)} M/s`;
  return [
    goal("sequential consume as views, 128 B", "1.5 M/s", scan, rate, (scan ?? 0) >= 1.5e6),
    goal("random get of one message, p50", "at most 5 us", get, (value) => `${value.toFixed(1)} us`, (get ?? 0) <= 5),
  ];
}

function judgeRecovery({ recoveries }: Results): Goal {
  const scan = medianOf(
    recoveries.filter((figure) => figure.messageSize === 1024),
    (figure) => figure.scanBytesPerSec,
  );
  const rate = (value: number): string => `${(value / 1e9).toFixed(2)} GB/s`;
  return goal("recovery scan with CRCs, 1024 B", "1 GB/s", scan, rate, (scan ?? 0) >= 1e9);
}

/** Of the same round, because rounds differ more from each other than the two do. */
function judgeWithDispatch(results: Results, size: number): Goal {
  const rates = (contestant: "store-mapped" | "store-undispatched"): number[] =>
    results.rates(contestant, "page-cache", size, 1024);
  const alone = rates("store-undispatched");
  const shares = rates("store-mapped").flatMap((rate, round) => (alone[round] === undefined ? [] : [rate / alone[round]]));
  const share = medianOf(shares, (value) => value);
  const show = (value: number): string => `${(100 * value).toFixed(0)} % of the rate without it`;
  return goal(`ASYNC_FLUSH with dispatch, ${size} B`, "85 %", share, show, (share ?? 0) >= 0.85);
}
