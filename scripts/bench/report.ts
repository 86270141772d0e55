import { judge } from "./goals.js";
import { javaStoreLines } from "./java-store-report.js";
import type { SeedWay } from "./job.js";
import type { Machine } from "./machine.js";
import { readPathLines } from "./read-report.js";
import type { Results } from "./results.js";
import { formatRate, formatUs, type Row, table } from "./table.js";
import { CONTESTANTS, type ContestantName, type Durability } from "./workload.js";

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

const SEED_WAYS: readonly (readonly [SeedWay, string])[] = [
  ["mapping", "Uint8Array.set into a mapping"],
  ["stream", "fs.createWriteStream"],
  ["writeSync", "fs.writeSync per line"],
];

/** The whole report in Markdown; its tables read as well on a terminal. */
export function formatReport(results: Results, machine: Machine, rounds: number, peers: Readonly<Record<string, string>>): string {
  return [
    "# Millrace bench",
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.kernel}; ${machine.fileSystem}; ` +
      `Node ${machine.node}; ${machine.date}`,
    "",
    `Medians of ${rounds} interleaved rounds; load average before ${machine.loadAverage.toFixed(2)}. Peers: ${formatPeers(peers)}.`,
    "",
    ...goalLines(results),
    ...(["disk", "page-cache"] as const).flatMap((durability) =>
      [128, 1024].flatMap((messageSize) => cellLines(results, durability, messageSize)),
    ),
    ...javaStoreLines(results),
    ...seedLines(results),
    ...figureLines(results),
    ...readPathLines(results),
  ].join("\n");
}

function formatPeers(peers: Readonly<Record<string, string>>): string {
  return Object.entries(peers)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

function goalLines(results: Results): string[] {
  const mark = (reached: boolean | undefined): string => (reached === undefined ? "-" : reached ? "pass" : "FAIL");
  const rows = judge(results).map((goal): Row => [goal.name, goal.measured, goal.wanted, mark(goal.reached)]);
  return ["## Speed to reach", "", ...table(["workload", "measured", "at least", ""], rows), ""];
}

function cellLines(results: Results, durability: Durability, messageSize: number): string[] {
  const cells = [...results.cells.values()].filter(
    ({ cell }) => cell.durability === durability && cell.messageSize === messageSize,
  );
  const windows = [...new Set(cells.map(({ cell }) => cell.inFlight))].sort((a, b) => a - b);
  const present = CONTESTANTS.filter((name) => cells.some(({ cell }) => cell.contestant === name));
  if (present.length === 0) return [];
  const rows = present.map((contestant): Row => {
    const figures = windows.map((inFlight) => {
      const rate = results.figure(contestant, durability, messageSize, inFlight, "msgPerSec");
      const p50 = results.figure(contestant, durability, messageSize, inFlight, "p50Us");
      const p99 = results.figure(contestant, durability, messageSize, inFlight, "p99Us");
      return rate === undefined ? "-" : `${formatRate(rate)} (${formatUs(p50)} / ${formatUs(p99)})`;
    });
    return [contestant, MEANING[durability][contestant], ...figures];
  });
  const head = ["", "acknowledged by", ...windows.map((inFlight) => `${inFlight} in flight`)];
  return [`## ${TITLES[durability]}, ${messageSize} B: messages/s (p50 / p99)`, "", ...table(head, rows), ""];
}

function seedLines(results: Results): string[] {
  const stream = results.seedRoundsPerSecond("stream");
  const rows = SEED_WAYS.flatMap(([way, title]): Row[] => {
    const rounds = results.seedRoundsPerSecond(way);
    if (rounds === undefined) return [];
    return [[title, rounds.toFixed(2), stream === undefined ? "-" : `${(rounds / stream).toFixed(1)} x`]];
  });
  if (rows.length === 0) return [];
  return ["## A line of 11 bytes, a million times", "", ...table(["", "rounds per second", "against the stream"], rows), ""];
}

function figureLines({ rolls, eventLoop }: Results): string[] {
  const lines = rolls.map(
    (roll) =>
      `- ${roll.rolls} rolls at ${formatRate(roll.msgPerSec)} messages/s: ` +
      `${roll.nearMessages} messages near one, ${roll.steadyMessages} others`,
  );
  for (const figure of eventLoop) {
    const delays = `${figure.delayP50Ms.toFixed(2)} / ${figure.delayP99Ms.toFixed(2)} / ${figure.delayMaxMs.toFixed(1)} ms`;
    lines.push(
      `- ${formatRate(figure.msgPerSec)} of ${formatRate(figure.maxMsgPerSec)} messages/s: event-loop delay p50 / p99 / max ${delays}`,
    );
  }
  return lines.length === 0 ? [] : ["## Single figures", "", ...lines, ""];
}
