import type { Finding } from "./finding.js";
import { MISSING, type ShownQueue, type ShownStore } from "./shown-store.js";

const TRANSACTION_QUEUES = ["RMQ_SYS_TRANS_HALF_TOPIC-0", "RMQ_SYS_TRANS_OP_HALF_TOPIC-0"];

/** What may be otherwise than before. */
export interface Excuses {
  /** Whether the store has said that the record at this physical offset is gone, or not what it was. */
  readonly isGone: (physicalOffset: number) => boolean;
  /** Whether the store has said that it does not serve this queue. */
  readonly isRefused: (queue: string) => boolean;
  /** Whether somebody has sent such a message since: it may be there or not. */
  readonly mayBeThere: (line: string) => boolean;
  /** Not compared: RocketMQ's own JSON has no checksum. */
  readonly areOffsetsExcepted: boolean;
  readonly mayBeFenced: boolean;
}

/** What a store shows otherwise than it did before, silently; what it refuses with a code is no difference. */
export function shownDifferences(before: ShownStore, after: ShownStore, excuses: Excuses): Finding[] {
  const wrong: string[] = [];
  if (before.state !== after.state && !excuses.mayBeFenced) wrong.push(`state=${after.state} instead of ${before.state}`);
  for (const name of new Set([...Object.keys(before.queues), ...Object.keys(after.queues)]))
    if (!excuses.isRefused(name)) wrong.push(...queueDifferences(name, before.queues[name], after.queues[name], excuses));
  const isCut = (offset: string): boolean => excuses.isGone(Number(offset));
  for (const [offset, line] of Object.entries(before.looked)) {
    const now = after.looked[offset] as string;
    if (now === line || isRefusal(now) || isRefusal(line) || isCut(offset)) continue;
    if (line !== MISSING || !excuses.mayBeThere(now)) wrong.push(`record ${offset}: ${now} instead of ${line}`);
  }
  wrong.push(...listDifferences("key", before.keyed, after.keyed, isCut));
  const offsetsCut = cutQueueOffsets(before, after);
  for (const [name, offsets] of Object.entries(before.tagged)) {
    const queue = name.slice(0, name.lastIndexOf(" "));
    if (excuses.isRefused(queue)) continue;
    const isGone = (offset: string): boolean => offsetsCut.get(queue)?.has(Number(offset)) === true;
    wrong.push(...listDifferences("tag", { [name]: offsets }, after.tagged, isGone));
  }
  if (!TRANSACTION_QUEUES.some(excuses.isRefused)) wrong.push(...undecidedDifferences(before, after, isCut));
  if (!excuses.areOffsetsExcepted) {
    for (const [name, offset] of Object.entries(before.committed)) {
      const now = after.committed[name];
      const end = after.queues[name.slice(name.indexOf(" ") + 1)]?.max ?? 0;
      if (now !== offset && now !== Math.min(offset, end)) wrong.push(`committed ${name}: ${now} instead of ${offset}`);
    }
  }
  return wrong.map((what) => ({ verdict: "WRONG", what }));
}

/** What was refused once may be mended by the next look. */
function isRefusal(line: string | undefined): boolean {
  return line?.startsWith("!") === true;
}

const NO_QUEUE: ShownQueue = { min: 0, max: 0, messages: [] };

function queueDifferences(name: string, before = NO_QUEUE, after = NO_QUEUE, excuses: Excuses): string[] {
  const wrong: string[] = [];
  for (let at = Math.min(before.min, after.min); at < Math.max(before.max, after.max); at++) {
    const was = before.messages[at - before.min];
    const is = after.messages[at - after.min];
    if (was === is || isRefusal(was) || isRefusal(is)) continue;
    if (was === undefined && is !== undefined && excuses.mayBeThere(is)) continue;
    const isCut = was !== undefined && excuses.isGone(Number(was.split("|")[0]));
    if (!isCut || (is !== undefined && !excuses.mayBeThere(is)))
      wrong.push(`${name} ${at}: ${is ?? "nothing"} instead of ${was ?? "nothing"}`);
    if (wrong.length > 20) return wrong;
  }
  const expired = before.messages.slice(0, Math.max(0, after.min - before.min));
  const areGone = expired.length > 0 && expired.every((line) => excuses.isGone(Number(line.split("|")[0])));
  if (before.messages.length > 0 && after.max > 0 && before.min !== after.min && !areGone)
    wrong.push(`${name}: begins at ${after.min} instead of ${before.min}`);
  return wrong;
}

/** Queue → offsets where the message is not shown any more, refused, or another one: each of them has been spoken of already. */
function cutQueueOffsets(before: ShownStore, after: ShownStore): Map<string, Set<number>> {
  return new Map(
    Object.entries(before.queues).map(([name, { min, messages }]) => {
      const queue = after.queues[name] ?? NO_QUEUE;
      const offsets = messages.map((_, index) => min + index);
      return [name, new Set(offsets.filter((at) => queue.messages[at - queue.min] !== messages[at - min]))];
    }),
  );
}

function listDifferences(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  isExcused: (item: string) => boolean,
): string[] {
  const wrong: string[] = [];
  for (const [name, list] of Object.entries(before)) {
    const now = after[name] ?? "";
    if (now === list || isRefusal(now) || isRefusal(list)) continue;
    const [items, found] = [list, now].map((text) => (text === "" ? [] : text.split(" "))) as [string[], string[]];
    const isTold = found.includes("-1");
    const missing = items.filter((item) => item !== "-1" && !found.includes(item) && !isExcused(item) && !isTold);
    const strange = items.includes("-1") ? [] : found.filter((item) => !items.includes(item) && item !== "-1");
    if (missing.length > 0) wrong.push(`${what} ${name}: does not find ${missing.join(" ")} any more`);
    if (strange.length > 0) wrong.push(`${what} ${name}: finds ${strange.join(" ")} too`);
  }
  return wrong;
}

function undecidedDifferences(before: ShownStore, after: ShownStore, isCut: (offset: string) => boolean): string[] {
  const wrong: string[] = [];
  if ([...before.undecided, ...after.undecided].some(isRefusal)) return wrong;
  for (const line of before.undecided)
    if (!after.undecided.includes(line) && !isCut(line.split("|")[0] as string)) wrong.push(`undecided no more: ${line}`);
  for (const line of after.undecided) if (!before.undecided.includes(line)) wrong.push(`undecided too: ${line}`);
  return wrong;
}
