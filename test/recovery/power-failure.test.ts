import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { DispatchingStore, ROUNDS_ON_DEMAND } from "../support/dispatching-store.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { type DiskMoment, UnreliableDisk } from "../support/unreliable-disk.js";

const STORES = Number(process.env.MILLRACE_POWER_STORES ?? 60);
const LIVES = 5;
const STEPS_MAX = 16;
const RECORDS_MAX = 40;
const FORCES_MAX = 60;
const SEGMENT_SIZE = 16 * 1024;

interface StoredRecord {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly tag: string;
  readonly key: string | undefined;
}

/** A log that grows, and what is known of it. */
class GrowingLog {
  readonly builder = new CommitLogBuilder(SEGMENT_SIZE);
  readonly records: StoredRecord[] = [];
  minOffset = 0;

  grow(random: Random, life: number): void {
    for (let count = 1 + random(RECORDS_MAX); count > 0; count--) {
      const topic = random(4) === 0 ? `Life${life}` : "TopicA";
      const queueId = random(3);
      const key = random(3) === 0 ? undefined : `key${this.records.length}`;
      const tag = `Tag${random(5)}`;
      const properties = `TAGS\x01${tag}\x02${key === undefined ? "" : `KEYS\x01${key} shared\x02`}`;
      const body = Buffer.alloc(random(200));
      const queueOffset = this.builder.queueOffsets.get(`${topic}-${queueId}`) ?? 0;
      const { offset } = this.builder.add({ topic, queueId, properties, body });
      this.records.push({ topic, queueId, queueOffset, physicalOffset: offset, tag, key });
    }
  }

  expire(): void {
    this.minOffset += SEGMENT_SIZE;
    this.builder.segments.delete(this.minOffset - SEGMENT_SIZE);
  }

  get left(): readonly StoredRecord[] {
    return this.records.filter(({ physicalOffset }) => physicalOffset >= this.minOffset);
  }
}

/** Each record is in its queue, with its tag, and found by its key; each queue ends where it did, also where the log has none of it. */
function faultsOf({ reader }: DispatchingStore, log: GrowingLog): string[] {
  const faults: string[] = [];
  const ends = new Map(log.records.map((record) => [`${record.topic}-${record.queueId}`, record]));
  for (const { topic, queueId, queueOffset, physicalOffset, tag, key } of log.left) {
    using found = reader.getMessage({ topic, queueId, queueOffset, maxMessages: 1, filter: { tags: [tag] } });
    const got = found.messages[0]?.physicalOffset;
    if (got !== physicalOffset) faults.push(`${topic}-${queueId} at ${queueOffset}: ${found.status} ${got}, not ${physicalOffset}`);
    if (key === undefined) continue;
    const byKey = reader.queryMessage({ topic, key }).messages.map((message) => message.physicalOffset);
    if (byKey.join() !== String(physicalOffset)) faults.push(`${key}: ${byKey}, not ${physicalOffset}`);
  }
  for (const [name, { topic, queueId, queueOffset }] of ends) {
    const end = reader.getMaxOffsetInQueue(topic, queueId);
    if (end !== queueOffset + 1) faults.push(`${name} ends at ${end}, not ${queueOffset + 1}`);
  }
  return faults;
}

/** One directory, from one power failure to the next. */
class FailingStore {
  readonly #random: Random;
  readonly #options: MessageStoreOptions & { readonly storePathRootDir: string };
  readonly #log = new GrowingLog();
  readonly #disk: UnreliableDisk;
  readonly #isExpiring: boolean;
  #moment: DiskMoment | undefined;
  /** The power fails at this force from now. */
  #forcesLeft = 0;
  failures = 0;

  constructor(root: string, random: Random) {
    this.#random = random;
    const isLarge = random(2) === 0;
    this.#isExpiring = random(2) === 0;
    this.#options = {
      storePathRootDir: root,
      mappedFileSizeCommitLog: SEGMENT_SIZE,
      mappedFileSizeConsumeQueue: (isLarge ? 500 : 5) * CONSUME_QUEUE_UNIT_LENGTH,
      maxHashSlotNum: isLarge ? 1000 : 20,
      maxIndexNum: isLarge ? 2000 : 60,
      ...ROUNDS_ON_DEMAND,
    };
    const files = ["millrace.dispatched", "millrace.queueChecksums", "millrace.index", "abort"];
    this.#disk = new UnreliableDisk(root, ["consumequeue", "index"], files, () => {
      if (this.#forcesLeft-- === 0) this.#moment ??= this.#disk.moment();
    });
  }

  close(): void {
    this.#disk.close();
  }

  /**
   * Opens, judges, goes on; is closed, or killed; the power may fail in between, or after that. Returns what was wrong after the
   * opening.
   */
  async live(life: number): Promise<string[]> {
    this.#moment = undefined;
    this.#forcesLeft = this.#random(FORCES_MAX);
    const store = await DispatchingStore.open(this.#options);
    this.#dispatch(store);
    const faults = faultsOf(store, this.#log);
    const steps = this.#random(STEPS_MAX);
    for (let step = 0; step < steps; step++) await this.#step(store, life);
    const end = this.#random(6);
    if (end < 2) await store.closeWell();
    else {
      store.abandon();
      while (store.isForcing) await setImmediate();
    }
    // Else it was closed or killed, and the power may fail in a later life.
    if (end % 2 === 0) this.#moment ??= this.#disk.moment();
    if (this.#moment !== undefined) {
      this.failures++;
      this.#disk.fail(this.#moment, this.#random);
    }
    return faults;
  }

  #dispatch(store: DispatchingStore): void {
    const { builder, left } = this.#log;
    store.dispatchTo(builder.offset, left);
  }

  async #step(store: DispatchingStore, life: number): Promise<void> {
    const log = this.#log;
    const kind = this.#random(8);
    if (kind < 4) {
      log.grow(this.#random, life);
      log.builder.write(join(this.#options.storePathRootDir, "commitlog"));
      this.#dispatch(store);
    } else if (kind < 5) await setImmediate();
    else if (kind < 6) store.flush(false);
    else if (kind < 7) store.flush(true);
    else if (this.#isExpiring && log.builder.offset > log.minOffset + 2 * SEGMENT_SIZE) {
      await store.untilForced(log.minOffset + SEGMENT_SIZE);
      if (this.#moment !== undefined) return; // the power has failed: nothing goes any more
      log.expire();
      store.expire(log.minOffset);
    }
  }
}

test("whatever pages and names of ConsumeQueues and index a power failure loses, they come back complete", async (t) => {
  t.timeout(60_000 + STORES * 1000);
  const seed = chosenSeed();
  let failures = 0;
  for (let number = 0; number < STORES; number++) {
    const store = new FailingStore(memoryDirectory(t), seededRandom(seed + number));
    try {
      for (let life = 0; life < LIVES; life++) {
        const faults = await store.live(life);
        if (faults.length > 0) t.log(`seed=${seed + number} life=${life}`);
        t.deepEqual(faults.slice(0, 10), []);
      }
    } catch (error) {
      t.log(`seed=${seed + number}`);
      throw error;
    } finally {
      store.close();
      failures += store.failures;
    }
  }
  t.log(`seed=${seed} stores=${STORES} failures=${failures}`);
  t.true(failures >= STORES);
});
