import { READ_CONTESTANTS, type ReadContestantName } from "./read-path-job.js";
import type { Results } from "./results.js";
import { formatRate, formatUs, type Row, table } from "./table.js";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** How each reads, as configured here. */
const WAYS: Readonly<Record<ReadContestantName, string>> = {
  store: "getMessage(32) and release",
  lmdb: "getRange; getBinaryFast",
  "better-sqlite3": "SELECT of 1024 rows; of one, mmap_size 1 GiB",
  "classic-level": "values().nextv(1024); getSync",
  java: "RocketMQ's getMessage(32) and release",
};

/** The part of the report that is about reading. */
export function readPathLines(results: Results): string[] {
  return [...readLines(results), ...singleLines(results)];
}

function readLines(results: Results): string[] {
  const rows = READ_CONTESTANTS.flatMap((contestant): Row[] => {
    const scan = results.readFigure(contestant, "scanMsgPerSec");
    if (scan === undefined) return [];
    const p50 = results.readFigure(contestant, "getP50Us");
    const p99 = results.readFigure(contestant, "getP99Us");
    return [[contestant, WAYS[contestant], formatRate(scan), `${formatUs(p50)} / ${formatUs(p99)}`]];
  });
  if (rows.length === 0) return [];
  const consume = results.readFigure("store", "consumeMsgPerSec");
  const head = ["", "reads by", "in order, messages/s", "one at random (p50 / p99)"];
  const copies = consume === undefined ? [] : [`\`consume()\`, which gives copies: ${formatRate(consume)} messages/s.`, ""];
  return ["## Reading 128 B messages from the page cache", "", ...table(head, rows), "", ...copies];
}

function singleLines({ dispatchLags, keepUps, recoveries }: Results): string[] {
  const lags = dispatchLags.map((figure) => {
    const polled = `${formatUs(figure.polledP50Us)} / ${formatUs(figure.polledP99Us)}`;
    const woken = `${formatUs(figure.wokenP50Us)} / ${formatUs(figure.wokenP99Us)}`;
    const rate = `${formatRate(figure.msgPerSec)} of ${formatRate(figure.maxMsgPerSec)} messages/s`;
    return `- ${rate}: put to readable p50 / p99 ${polled}, to a waiting consumer's loop ${woken} (${figure.probes} probes)`;
  });
  const keeps = keepUps.map((figure) => {
    const size = `${(figure.bytes / GIB).toFixed(1)} GiB at ${formatRate(figure.msgPerSec)} messages/s`;
    const lag = `${(figure.maxLagBytes / MIB).toFixed(1)} MiB`;
    return `- ${size}: dispatch at most ${lag} behind, done ${figure.catchUpMs.toFixed(0)} ms after the last acknowledgement`;
  });
  const scans = recoveries.map((figure) => {
    const gib = figure.logBytes / GIB;
    const size = `${gib.toFixed(2)} GiB of ${figure.messageSize} B messages`;
    const perGib = (seconds: number): string => `${(seconds / gib).toFixed(2)} s a GiB`;
    const scan = `scan after a crash ${(figure.scanBytesPerSec / 1e9).toFixed(2)} GB/s`;
    const open = `opened in ${perGib(figure.openSeconds)}, without ConsumeQueues and index in ${perGib(figure.rebuildSeconds)}`;
    return `- ${size}: ${scan}; ${open}`;
  });
  const lines = [...lags, ...keeps, ...scans];
  return lines.length === 0 ? [] : ["## Dispatch and recovery", "", ...lines, ""];
}
