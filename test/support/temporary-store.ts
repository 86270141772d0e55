import type { Fault } from "@millrace/mapped-file";
import type { Message, MessageStore, MessageStoreOptions } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { openOn } from "#store/message-store.js";
import { PATIENCE } from "./patience.js";
import { temporaryDirectory } from "./temporary-directory.js";

export const KIB = 1024;
/** Of the segments in these tests, where they say nothing else. */
export const SEGMENT_SIZE = 64 * KIB;

/**
 * A store in a directory of its own, closed with the test however it ends.
 *
 * @param options `storePathRootDir` opens a directory that is there already
 */
export async function openStore(
  t: ExecutionContext,
  options: MessageStoreOptions = {},
  faults: readonly Fault[] = [],
): Promise<MessageStore> {
  const complete = {
    storePathRootDir: options.storePathRootDir ?? temporaryDirectory(t),
    mappedFileSizeCommitLog: SEGMENT_SIZE,
    logger: { error: () => {} },
    ...PATIENCE,
    ...options,
  };
  const store = await openOn(complete, faults.length === 0 ? { kind: "real" } : { kind: "faulty", faults });
  t.teardown(() => store.close().catch(() => {}));
  return store;
}

/** The smallest message there is, but for what is changed. */
export function message(changes: Partial<Message> = {}): Message {
  return { topic: "TopicA", queueId: 0, body: new Uint8Array(0), ...changes };
}

/** Message number `n`: a body that tells which one it is, of `length` bytes. */
export function numbered(n: number, length = 16, changes: Partial<Message> = {}): Message {
  return message({ body: Buffer.from(`${n};`.padEnd(length, "x")), ...changes });
}

/** The number in the body of a {@link numbered} message. */
export function numberOf(body: Uint8Array): number {
  return Number.parseInt(Buffer.from(body).toString(), 10);
}

/** What became of promises, in their order. */
export async function outcomes<T>(promises: readonly Promise<T>[]): Promise<(T | { code: string; outcome: string })[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === "fulfilled") return result.value;
    const { code, outcome } = result.reason as { code: string; outcome: string };
    return { code, outcome };
  });
}
