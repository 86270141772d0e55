import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { storePaths } from "@millrace/format";
import type { Message, MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { assertQueuesComplete } from "../support/stored-queues.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const KEYS = ["k", "k l", "k l m", "größer", "鍵 k"];

/** Files below a directory, their contents by their relative paths; of the index, whose names are times, by their order. */
function contents(directory: string, isIndex = false): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(files.map((path, i) => [isIndex ? `${i}` : relative(directory, path), readFileSync(path).toString("base64")]));
}

function randomMessage(random: Random, n: number): Message {
  const properties: Record<string, string> = {};
  if (random(3) === 0) properties.UNIQ_KEY = `u${n}`;
  return message({
    topic: `Topic${random(3)}`,
    queueId: random(4),
    body: Buffer.alloc(random(300), n),
    properties,
    ...(random(2) === 0 ? { tags: random(5) === 0 ? "größer" : `Tag${random(9)}` } : {}),
    ...(random(2) === 0 ? { keys: KEYS[random(KEYS.length)]?.replaceAll("k", `k${n}`) as string } : {}),
  });
}

async function putSome(store: MessageStore, random: Random, from: number, count: number): Promise<void> {
  const puts: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    const one = randomMessage(random, from + i);
    if (random(20) === 0) puts.push(store.putMessages([one, { ...one, tags: "b" }, one].map((each) => ({ ...each, keys: "b" }))));
    else puts.push(store.putMessage(one));
  }
  await Promise.all(puts);
}

async function storeWithHints(t: ExecutionContext, random: Random, storePathRootDir: string): Promise<void> {
  const store = await openStore(t, {
    storePathRootDir,
    maxHashSlotNum: 1000,
    maxIndexNum: 3000,
    mappedFileSizeConsumeQueue: 20 * 1000,
  });
  for (let round = 0; round < 12; round++) {
    await putSome(store, random, round * 1000, 400);
    if (round % 3 === 2) await store.putMessage(message({ topic: `New${round}`, keys: `n${round}` }));
  }
  await store.flush();
  await dispatchedAll(store);
  const { messages, hinted } = store.stats().dispatch;
  await store.close();
  t.log({ messages, hinted });
  t.true(hinted > messages / 4 && hinted < messages, "both ways were gone");
}

test("ConsumeQueues and index are the same bytes whether hints were taken or every record was read", async (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const storePathRootDir = temporaryDirectory(t);
  await storeWithHints(t, seededRandom(seed), storePathRootDir);
  const copy = temporaryDirectory(t);
  const [paths, read] = [storePaths(storePathRootDir), storePaths(copy)];
  cpSync(storePathRootDir, copy, { recursive: true });
  for (const path of [read.consumeQueue, read.index, read.dispatchedMark]) rmSync(path, { recursive: true });
  const again = await openStore(t, {
    storePathRootDir: copy,
    maxHashSlotNum: 1000,
    maxIndexNum: 3000,
    mappedFileSizeConsumeQueue: 20 * 1000,
  });
  t.is(again.stats().dispatch.hinted, 0);
  await again.close();
  t.deepEqual([...contents(read.consumeQueue).keys()], [...contents(paths.consumeQueue).keys()]);
  t.deepEqual(contents(read.consumeQueue), contents(paths.consumeQueue));
  t.true(contents(paths.index, true).size > 1);
  t.deepEqual(contents(read.index, true), contents(paths.index, true));
  assertQueuesComplete(t, storePathRootDir);
});
