import { checkQueueId, checkStoredTopic, MillraceError, shownValue } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { readConfigFile, writeConfigFile } from "../marks/config-file.js";
import { storeClosed } from "../tell/store-closed.js";

/** Between topic and group in the keys of the file; in neither name. */
const TOPIC_GROUP_SEPARATOR = "@";
const GROUP_PATTERN = /^[%|a-zA-Z0-9_-]{1,255}$/;
const CORRUPT = "ERR_CONSUMER_OFFSETS_CORRUPT";

/** queueId → the next queue offset that the group wants. */
type QueueOffsets = Map<number, number>;

/** What the file holds. */
interface OffsetFile {
  /** Fields of the file, as they were read: those that are not known here are written back. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Key of the file (`topic@group`) → offsets. */
  readonly offsetTable: Map<string, QueueOffsets>;
}

/** Puts the content of the file on disk, atomically and durably. */
export type SaveConsumerOffsets = (content: Uint8Array) => Promise<void>;

/**
 * How far each consumer group has come in each queue. Commits are kept in memory and saved to `config/consumerOffset.json` every
 * `flushDelayOffsetInterval` when there are new ones, on {@link persist}, and when the store closes: after a crash a group can find
 * an older offset of its own, never a later or a broken one. Main thread. (RocketMQ: `ConsumerOffsetManager`.)
 */
export class ConsumerOffsets {
  readonly #file: OffsetFile;
  /** group → topic → offsets: the same maps as in the file's table. */
  readonly #groups = new Map<string, Map<string, QueueOffsets>>();
  readonly #save: SaveConsumerOffsets;
  readonly #intervalMs: number;
  /** From the first commit on. */
  #interval: NodeJS.Timeout | undefined;
  #changes = 0;
  #savedChanges = 0;
  #saving: Promise<void> | undefined;
  #lastError: unknown;
  #closing: Promise<void> | undefined;

  private constructor(file: OffsetFile, intervalMs: number, save: SaveConsumerOffsets) {
    this.#file = file;
    this.#save = save;
    this.#intervalMs = intervalMs;
    for (const [key, offsets] of file.offsetTable) {
      const [topic, group, ...rest] = key.split(TOPIC_GROUP_SEPARATOR);
      if (topic !== undefined && group !== undefined && rest.length === 0) this.#topics(group).set(topic, offsets);
    }
  }

  /**
   * Reads the file. A missing one is an empty one; it is made by the first save.
   *
   * @param save how the file is written while the store is open; by default on this thread, which then waits for the disk
   * @throws MillraceError `ERR_CONSUMER_OFFSETS_CORRUPT` when file and backup are broken
   */
  static open(storage: Storage, path: string, intervalMs: number, save?: SaveConsumerOffsets): ConsumerOffsets {
    const file = readConfigFile(storage, path, CORRUPT, decodeFile) ?? { fields: {}, offsetTable: new Map() };
    return new ConsumerOffsets(file, intervalMs, save ?? (async (content) => writeConfigFile(storage, path, content)));
  }

  /**
   * From now on the group wants `offset` next: what a batch calls `nextOffset`. The last commit counts, a lower one too. The queue need
   * not exist. (RocketMQ: `commitOffset`.)
   *
   * @throws MillraceError `ERR_GROUP_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_OFFSET_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  commit(group: string, topic: string, queueId: number, offset: number): void {
    if (this.#closing !== undefined) throw storeClosed();
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new MillraceError("ERR_OFFSET_ILLEGAL", `a queue offset is an integer of at least 0: offset=${shownValue(offset)}`);
    }
    const known = this.#groups.get(group)?.get(topic);
    if (!known?.has(queueId)) checkQueueId(queueId);
    (known ?? this.#add(group, topic)).set(queueId, offset);
    this.#changes++;
    this.#interval ??= setInterval(this.#saveInBackground, this.#intervalMs).unref();
  }

  /** What the group committed last; undefined when it never did (RocketMQ: `queryOffset`, -1). */
  get(group: string, topic: string, queueId: number): number | undefined {
    const offset = this.#groups.get(group)?.get(topic)?.get(queueId);
    return offset === undefined || offset < 0 ? undefined : offset;
  }

  /** The topic is gone: every group begins with it anew. (RocketMQ: `cleanOffsetByTopic`.) */
  deleteTopic(topic: string): void {
    for (const [group, topics] of this.#groups) {
      if (!topics.delete(topic)) continue;
      this.#file.offsetTable.delete(topic + TOPIC_GROUP_SEPARATOR + group);
      this.#changes++;
    }
  }

  /** Groups that have committed, in this life of the store or before. */
  groups(): string[] {
    return [...this.#groups.keys()];
  }

  /** Why the last save failed; undefined when it did not. What could not be saved is tried again with the next interval. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Resolves when everything committed so far is durable. Rejects with the error of the disk; nothing is lost from memory then. */
  async persist(): Promise<void> {
    const wanted = this.#changes;
    while (this.#savedChanges < wanted) {
      this.#saving ??= this.#saveChanges();
      await this.#saving;
    }
  }

  /** Saves once more what was committed, and takes no more commits. Idempotent; rejects as {@link persist}. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      clearInterval(this.#interval);
      // A broker that found the directory locked has put its own copy of the file there when it ended.
      this.#savedChanges = 0;
      this.#closing = this.persist();
    }
    return this.#closing;
  }

  readonly #saveInBackground = (): void => {
    this.persist().catch(() => {});
  };

  async #saveChanges(): Promise<void> {
    const changes = this.#changes;
    try {
      await this.#save(encodeFile(this.#file));
      this.#savedChanges = changes;
      this.#lastError = undefined;
    } catch (error) {
      this.#lastError = error;
      throw error;
    } finally {
      this.#saving = undefined;
    }
  }

  #topics(group: string): Map<string, QueueOffsets> {
    const topics = this.#groups.get(group) ?? new Map<string, QueueOffsets>();
    this.#groups.set(group, topics);
    return topics;
  }

  #add(group: string, topic: string): QueueOffsets {
    if (typeof group !== "string" || !GROUP_PATTERN.test(group)) {
      throw new MillraceError("ERR_GROUP_ILLEGAL", `a group is 1 to 255 of % | a-z A-Z 0-9 _ -: group=${shownValue(group)}`);
    }
    checkStoredTopic(topic);
    const offsets: QueueOffsets = new Map();
    this.#topics(group).set(topic, offsets);
    this.#file.offsetTable.set(topic + TOPIC_GROUP_SEPARATOR + group, offsets);
    return offsets;
  }
}

function decodeFile(value: unknown): OffsetFile {
  const fields = objectOf(value, "the file");
  const offsetTable = new Map<string, QueueOffsets>();
  for (const [key, queues] of Object.entries(objectOf(fields.offsetTable ?? {}, "offsetTable"))) {
    const offsets: QueueOffsets = new Map();
    for (const [queueId, offset] of Object.entries(objectOf(queues, key))) {
      if (String(Number(queueId)) !== queueId) throw new TypeError(`not a queue id: key=${key} queueId=${queueId}`);
      checkQueueId(Number(queueId));
      if (!Number.isSafeInteger(offset))
        throw new TypeError(`not an offset: key=${key} queueId=${queueId} offset=${String(offset)}`);
      offsets.set(Number(queueId), offset as number);
    }
    offsetTable.set(key, offsets);
  }
  return { fields, offsetTable };
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`not an object: name=${what}`);
}

function encodeFile({ fields, offsetTable }: OffsetFile): Uint8Array {
  const table = Object.fromEntries([...offsetTable].map(([key, offsets]) => [key, Object.fromEntries(offsets)]));
  return new TextEncoder().encode(`${JSON.stringify({ ...fields, offsetTable: table }, undefined, "\t")}\n`);
}
