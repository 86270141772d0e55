import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MessageStore } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { numbered, numberOf } from "./temporary-store.js";
import { dispatchedAll } from "./until.js";

/** What `openReadOnly` gives. */
export type Reader = Awaited<ReturnType<typeof MessageStore.openReadOnly>>;

/** A reader that is closed with the test. */
export async function openReader(t: ExecutionContext, directory: string): Promise<Reader> {
  const reader = await MessageStore.openReadOnly(directory);
  t.teardown(() => reader.close());
  return reader;
}

/** Puts messages with these numbers to a topic, each with a key of its number; when they can be consumed. */
export async function putNumbered(store: MessageStore, from: number, to: number, length = 1000, topic = "TopicA"): Promise<void> {
  await Promise.all(
    Array.from({ length: to - from }, (_, i) => store.putMessage(numbered(from + i, length, { topic, keys: [`k${from + i}`] }))),
  );
  await dispatchedAll(store);
}

/** Numbers of the messages that a reader has of a queue, from an offset on. */
export function numbersOf(reader: Reader, queueOffset = 0, topic = "TopicA"): number[] {
  const numbers: number[] = [];
  for (let next = queueOffset; ; ) {
    using found = reader.getMessage({ topic, queueId: 0, queueOffset: next });
    for (const { body } of found.messages) numbers.push(numberOf(body));
    if (found.status !== "FOUND") return numbers;
    next = found.nextBeginOffset;
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Watches of this process on the directories below one. */
export function watchesBelow(directory: string): number {
  const below = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name));
  const inodes = new Set(below.map((path) => statSync(path).ino.toString(16)));
  const lines = readdirSync("/proc/self/fdinfo").flatMap((fd) => {
    try {
      return readFileSync(join("/proc/self/fdinfo", fd), "utf8").split("\n");
    } catch {
      return []; // closed since
    }
  });
  return lines.filter((line) => inodes.has(/^inotify .*ino:([0-9a-f]+)/.exec(line)?.[1] ?? "")).length;
}
