import { isDeepStrictEqual } from "node:util";
import { decodeHost, encodeHost, indexKeyHash } from "@millrace/format";
import type { DumpLine } from "./protocol.js";

/** What a dump may be forgiven. */
export interface Leniency {
  /** RocketMQ 4.9 looks times up by another rule. */
  readonly times: boolean;
  /** RocketMQ loses keys when it opens after a crash (the newest index file); what it finds must be right. */
  readonly missingKeys: boolean;
  /** RocketMQ answers with hash collisions, and twice with a message that has a key twice. */
  readonly collidingKeys: boolean;
}

const SHOWN = 6;

/** The lines in which a dump is not as expected, as text; none when all is well. */
export function differences(expected: readonly DumpLine[], found: readonly DumpLine[], leniency: Leniency): string[] {
  const texts: string[] = [];
  const sameHash = offsetsByHash(expected);
  const lines = Math.max(expected.length, found.length);
  for (let i = 0; i < lines; i++) {
    const [want, got] = [canonical(expected[i]), canonical(found[i])];
    if (want !== undefined && got !== undefined && isForgiven(want, got, leniency, sameHash)) continue;
    if (isDeepStrictEqual(want, got)) continue;
    texts.push(`line ${i}\n  expected ${JSON.stringify(want)}\n  found    ${JSON.stringify(got)}`);
    if (want?.kind !== got?.kind || texts.length === SHOWN) break;
  }
  return texts;
}

function canonical(line: DumpLine | undefined): DumpLine | undefined {
  if (line?.kind !== "message") return line;
  const host = (value: unknown) => decodeHost(encodeHost(value as { address: string; port: number }));
  const properties = Object.entries(line.properties as Record<string, string>).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...line, bornHost: host(line.bornHost), storeHost: host(line.storeHost), properties: Object.fromEntries(properties) };
}

/** By hash of topic and key, which is all that an index knows. */
function offsetsByHash(expected: readonly DumpLine[]): Map<number, Set<number>> {
  const byHash = new Map<number, Set<number>>();
  for (const line of expected) {
    if (line.kind !== "key") continue;
    const hash = keyHash(line);
    const offsets = byHash.get(hash) ?? new Set<number>();
    for (const offset of line.offsets as number[]) offsets.add(offset);
    byHash.set(hash, offsets);
  }
  return byHash;
}

function keyHash(line: DumpLine): number {
  return indexKeyHash(`${line.topic}#${line.key}`);
}

function isForgiven(want: DumpLine, got: DumpLine, leniency: Leniency, sameHash: ReadonlyMap<number, Set<number>>): boolean {
  if (want.kind !== got.kind || want.topic !== got.topic) return false;
  if (want.kind === "time") return leniency.times && isSomeOffset(want, got);
  if (want.kind !== "key" || want.key !== got.key) return false;
  const right = new Set(want.offsets as number[]);
  const colliding = sameHash.get(keyHash(want)) ?? new Set();
  let answered = [...(got.offsets as number[])];
  if (leniency.collidingKeys) answered = [...new Set(answered.filter((offset) => right.has(offset) || !colliding.has(offset)))];
  if (leniency.missingKeys) return answered.every((offset) => right.has(offset));
  return isDeepStrictEqual(answered, [...right]);
}

/** 4.9 chooses a file by its modification time, and then the nearest message in it. */
function isSomeOffset(want: DumpLine, got: DumpLine): boolean {
  const { lower, upper } = got as unknown as { lower: number; upper: number };
  return lower === upper && lower >= 0 && want.queueId === got.queueId && want.time === got.time;
}
