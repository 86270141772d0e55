import {
  CONTESTANTS,
  type ContestantName,
  DRIVERS,
  type Durability,
  isJavaContestant,
  JAVA_CONTESTANTS,
  MILLRACE_CONTESTANTS,
} from "../contestants/workload.js";
import type { Bench, Wants } from "./figure.js";
import { type Cell, cellName } from "./results.js";

export const DURABILITIES: readonly Durability[] = ["disk", "page-cache"];
export const MESSAGE_SIZES = [128, 1024];
export const WINDOWS = [1, 64, 1024];

/** What the user asked for, whether it can be had or not; contestants of a workload one after another. */
export function wantedCells(wants: Wants): Cell[] {
  return DURABILITIES.flatMap((durability) =>
    MESSAGE_SIZES.flatMap((messageSize) =>
      WINDOWS.flatMap((inFlight) => CONTESTANTS.map((contestant) => ({ contestant, durability, messageSize, inFlight }))),
    ),
  ).filter((cell) => isWanted(cell, wants));
}

/** What of it can be had: without RocketMQ's store where there is none. */
export function wantedHere({ wants, java }: Pick<Bench, "wants" | "java">): Cell[] {
  return wantedCells(wants).filter((cell) => java !== undefined || !isJavaCell(cell));
}

export function isJavaCell({ contestant }: Cell): boolean {
  return isJavaContestant(contestant);
}

/** Whether the figure "java-store" shows it. */
function isInJavaTable({ contestant }: Cell): boolean {
  return (
    (JAVA_CONTESTANTS as readonly string[]).includes(contestant) || (MILLRACE_CONTESTANTS as readonly string[]).includes(contestant)
  );
}

/** There to be compared with the store as it is, at full speed: without its dispatcher, with keys; and what all drivers cost. */
const AT_FULL_SPEED: readonly ContestantName[] = ["store-undispatched", "store-keys", ...DRIVERS];

function isWanted(cell: Cell, wants: Wants): boolean {
  const { contestant, durability, inFlight } = cell;
  const isFast = durability === "page-cache" && inFlight === 1024;
  if (AT_FULL_SPEED.includes(contestant) && !isFast) return false;
  const isCompared = isFast && (contestant === "store-undispatched" || contestant === "store-mapped");
  return (
    wants(cellName(cell)) ||
    wants("workloads") ||
    (isCompared && wants("with-dispatch")) ||
    (isInJavaTable(cell) && wants("java-store"))
  );
}
