import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import type { ExecutionContext } from "ava";
import test from "ava";
import { DeletedTopics } from "#store/marks/deleted-topics.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { DispatchingStore, ROUNDS_ON_DEMAND } from "../support/dispatching-store.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { UnreliableDisk } from "../support/unreliable-disk.js";

const SEGMENT_SIZE = 16 * 1024;
const PAGE = 4096;

/** Lives of a store on a disk that keeps nothing but what was forced. */
class Lives {
  readonly log = new CommitLogBuilder(SEGMENT_SIZE);
  readonly #options: MessageStoreOptions & { readonly storePathRootDir: string };
  readonly #disk: UnreliableDisk;
  readonly #topics = new Set<string>();
  #minOffset = 0;

  constructor(t: ExecutionContext, unitsPerFile: number) {
    const storePathRootDir = memoryDirectory(t);
    const files = ["millrace.dispatched", "millrace.queueChecksums", "millrace.index", "abort"];
    this.#disk = new UnreliableDisk(storePathRootDir, ["consumequeue", "index"], files, () => {});
    t.teardown(() => this.#disk.close());
    this.#options = {
      storePathRootDir,
      mappedFileSizeCommitLog: SEGMENT_SIZE,
      mappedFileSizeConsumeQueue: unitsPerFile * CONSUME_QUEUE_UNIT_LENGTH,
      messageIndexEnable: false, // for its sake records are dispatched again, and their queues' names synced
      ...ROUNDS_ON_DEMAND,
    };
  }

  async open(): Promise<DispatchingStore> {
    const store = await DispatchingStore.open(this.#options);
    this.#dispatch(store);
    return store;
  }

  put(store: DispatchingStore, topic: string, count: number, bodyLength = 10): void {
    this.#topics.add(topic);
    for (let i = 0; i < count; i++) this.log.add({ topic, queueId: 0, body: Buffer.alloc(bodyLength) });
    this.log.write(join(this.#options.storePathRootDir, "commitlog"));
    this.#dispatch(store);
  }

  /** All segments but the last. */
  async expire(store: DispatchingStore): Promise<void> {
    for (; this.#minOffset + SEGMENT_SIZE < this.log.offset; this.#minOffset += SEGMENT_SIZE)
      this.log.segments.delete(this.#minOffset);
    await store.untilForced(this.#minOffset);
    store.expire(this.#minOffset);
  }

  /** No page and no name is left that was not forced. */
  failPower(): void {
    this.#disk.fail(this.#disk.moment(), () => 1);
  }

  /** All is left, but for the second page of TopicA's queue. */
  losePage(): void {
    const moment = this.#disk.moment();
    for (const [path, bytes] of moment.current) if (path.includes("TopicA")) bytes.fill(0, PAGE, 2 * PAGE);
    this.#disk.fail(moment, () => 0);
  }

  /** The process was killed between the two steps of a deletion. */
  noteDeleted(topic: string): void {
    const { deletedTopics } = storePaths(this.#options.storePathRootDir);
    DeletedTopics.read(createStorage({ kind: "real" }), deletedTopics).add(topic, this.log.offset);
  }

  #dispatch(store: DispatchingStore): void {
    store.dispatchTo(
      this.log.offset,
      Array.from(this.#topics, (topic) => ({ topic, queueId: 0 })),
    );
  }
}

/** The queue of TopicA ends there after all of its records have gone from the log. */
async function endsAt(t: ExecutionContext, lives: Lives, end: number): Promise<void> {
  const store = await lives.open();
  t.is(store.reader.getMaxOffsetInQueue("TopicA", 0), end);
  store.abandon();
}

/** What comes to the queue in the life after the kill. */
const LATER = {
  "units that a killed life left unforced are durable before their records go, though nothing comes to the queue": 0,
  "the name of a file that a killed life made is durable before its records go": 1,
};

for (const [what, later] of Object.entries(LATER)) {
  test.serial(what, async (t) => {
    const lives = new Lives(t, 10);
    const killed = await lives.open();
    lives.put(killed, "TopicX", 1);
    await killed.forceAll();
    lives.put(killed, "TopicA", 5);
    killed.abandon();
    const closed = await lives.open();
    lives.put(closed, "TopicA", later);
    lives.put(closed, "TopicB", 100, 300);
    await lives.expire(closed);
    await closed.closeWell();
    lives.failPower();
    await endsAt(t, lives, 5 + later);
  });
}

test.serial("units are durable before their records go", async (t) => {
  const lives = new Lives(t, 10);
  const killed = await lives.open();
  lives.put(killed, "TopicA", 5);
  lives.put(killed, "TopicB", 100, 300);
  await lives.expire(killed);
  killed.abandon();
  lives.failPower();
  await endsAt(t, lives, 5);
});

const DELETIONS = {
  "in the same life": async (lives: Lives, store: DispatchingStore) => {
    store.deleteTopic("TopicA", lives.log.offset);
    return store;
  },
  "in the next life": async (lives: Lives, store: DispatchingStore) => {
    store.deleteTopic("TopicA", lives.log.offset);
    store.abandon();
    return await lives.open();
  },
  "after a kill in the middle of the deletion": async (lives: Lives, store: DispatchingStore) => {
    store.abandon();
    lives.noteDeleted("TopicA");
    return await lives.open();
  },
};

for (const [when, deletion] of Object.entries(DELETIONS)) {
  test.serial(`nothing that was noted of a deleted queue is said of the one that takes its place ${when}`, async (t) => {
    const lives = new Lives(t, 1500);
    const deleting = await lives.open();
    lives.put(deleting, "TopicA", 800);
    await deleting.forceAll();
    const killed = await deletion(lives, deleting);
    lives.log.queueOffsets.delete("TopicA-0");
    const first = lives.log.records.length;
    lives.put(killed, "TopicA", 850);
    killed.abandon();
    lives.losePage();
    const store = await lives.open();
    for (let queueOffset = 0; queueOffset < 850; queueOffset++) {
      using found = store.reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset, maxMessages: 1 });
      if (found.messages[0]?.physicalOffset !== lives.log.records[first + queueOffset]?.offset) t.fail(`wrong: ${queueOffset}`);
    }
    t.is(store.reader.getMaxOffsetInQueue("TopicA", 0), 850);
    store.abandon();
  });
}
