import { checkQueueId, checkStoredTopic, MillraceError, shownValue } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import type { CommittedOffset } from "@millrace/stats";
import {
  type ConfigFileContent,
  type ConfigFileDamage,
  readConfigFile,
  type SaveConfigFile,
  writeConfigFile,
} from "../marks/config-file.js";
import { decodeOffsetTable, encodeOffsetTable, type OffsetTable, objectOf } from "../marks/offset-table.js";
import { SavedChanges } from "../marks/saved-changes.js";
import { storeClosed } from "../tell/store-closed.js";

/** Between topic and group in the keys of the file; in neither name. */
const TOPIC_GROUP_SEPARATOR = "@";
const GROUP_PATTERN = /^[%|a-zA-Z0-9_-]{1,255}$/;
const CORRUPT = "ERR_CONSUMER_OFFSETS_CORRUPT";

/** queueId → the next queue offset that the group wants. */
type QueueOffsets = Map<number, number>;

/** Key of the file (`topic@group`) → offsets. */
type OffsetFile = OffsetTable<Map<string, QueueOffsets>>;

/** The queues as they are now, for offsets to be held against. */
export interface ConsumedQueues {
  /** End of the log: what is saved now knows of everything below it. */
  readonly logOffset: number;
  /** One past the last message that was put; 0 for a queue that does not exist. */
  endOf(topic: string, queueId: number): number;
  /** Names the queue's life; undefined for a queue that does not exist. */
  lifeOf(topic: string, queueId: number): number | undefined;
}

/** The queues as recovery has left them. */
type RecoveredEnds = Pick<ConsumedQueues, "logOffset" | "endOf">;

/** An offset that was not believed when the store was opened. */
interface CutConsumerOffset {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly cutTo: number | undefined;
  readonly reason: "beyond-end" | "earlier-life";
}

/**
 * How far each consumer group has come in each queue. Commits are kept in memory and saved to `config/consumerOffset.json` every
 * `flushDelayOffsetInterval` when there are new ones, on {@link persist}, and when the store closes: after a crash a group can find
 * an older offset of its own, never a later or a broken one. Main thread. (RocketMQ: `ConsumerOffsetManager`.)
 */
export class ConsumerOffsets {
  readonly #file: OffsetFile;
  /** group → topic → offsets: the same maps as in the file's table. */
  readonly #groups = new Map<string, Map<string, QueueOffsets>>();
  /** Files that were damaged when it was opened. @internal */
  readonly damagedFiles: readonly ConfigFileDamage[];
  readonly #save: SaveConfigFile;
  /** End of the log when the offsets were saved that were read; 0 when that is not known. */
  readonly #readAtLogOffset: number;
  /** End of the log when the store was opened. */
  #openedAtLogOffset = 0;
  /** Undefined before the store is open. */
  #queues: ConsumedQueues | undefined;
  readonly #intervalMs: number;
  /** From the first change on. */
  #interval: NodeJS.Timeout | undefined;
  readonly #changes = new SavedChanges();
  #lastError: unknown;
  #closing: Promise<void> | undefined;

  private constructor(read: ConfigFileContent<OffsetFile>, intervalMs: number, save: SaveConfigFile) {
    this.#file = read.value ?? { fields: {}, offsetTable: new Map() };
    this.#readAtLogOffset = read.logOffset;
    this.damagedFiles = read.damaged;
    this.#save = save;
    this.#intervalMs = intervalMs;
    for (const [key, offsets] of this.#file.offsetTable) {
      const [topic, group, ...rest] = key.split(TOPIC_GROUP_SEPARATOR);
      if (topic !== undefined && group !== undefined && rest.length === 0) this.#topics(group).set(topic, offsets);
    }
  }

  /**
   * Reads the file. A missing one is an empty one; it is made by the first save.
   *
   * @param save how the file is written while the store is open; by default on this thread, which then waits for the disk
   * @throws MillraceError `ERR_CONSUMER_OFFSETS_CORRUPT` when file, copy and backup are broken
   */
  static open(storage: Storage, path: string, intervalMs: number, save?: SaveConfigFile): ConsumerOffsets {
    const read = readConfigFile(storage, path, CORRUPT, decodeFile);
    return new ConsumerOffsets(read, intervalMs, save ?? (async (content, at) => writeConfigFile(storage, path, content, at)));
  }

  /**
   * When the store is opened: no offset may lie beyond its queue's end, where a crash has taken messages back, or new ones would be
   * missed; and none may be of a queue that was deleted after it was saved, as far as that is known. Returns those that were not
   * believed; {@link persist} makes it durable, and dates what was saved when the log was longer by its end as it is now.
   *
   * @internal
   * @param deletedTopics topic → offset of the log below which it was deleted
   */
  hold({ logOffset, endOf }: RecoveredEnds, deletedTopics: ReadonlyMap<string, number>): CutConsumerOffset[] {
    const cut: CutConsumerOffset[] = [];
    const isDated = this.#readAtLogOffset > 0;
    this.#openedAtLogOffset = logOffset;
    if (this.#readAtLogOffset > logOffset) this.#changes.add();
    for (const [group, topics] of this.#groups) {
      for (const [topic, offsets] of topics) {
        const deletedBelow = deletedTopics.get(topic);
        const isOutlived = isDated && deletedBelow !== undefined && this.#readAtLogOffset <= deletedBelow;
        for (const [queueId, offset] of offsets) {
          const end = endOf(topic, queueId);
          if (offset <= 0 || (!isOutlived && offset <= end)) continue;
          const [cutTo, reason] = isOutlived ? ([undefined, "earlier-life"] as const) : ([end, "beyond-end"] as const);
          cut.push({ group, topic, queueId, offset, cutTo, reason });
          if (cutTo === undefined) offsets.delete(queueId);
          else offsets.set(queueId, cutTo);
          this.#changes.add();
        }
      }
    }
    return cut;
  }

  /** From now on commits are held against the queues, and the next save dates what was read without a date. @internal */
  attach(queues: ConsumedQueues): void {
    this.#queues = queues;
    if (this.#readAtLogOffset === 0 && this.#groups.size > 0) this.#changes.add();
  }

  /**
   * From now on the group wants `offset` next: what a batch calls `nextOffset`. The last commit counts, a lower one too. (RocketMQ:
   * `commitOffset`.)
   *
   * @param queueLife what the batch calls so: then a commit counts for nothing once the queue was deleted, though it may have begun again
   * @returns whether it counts: not when the queue was deleted after the batch, nor when its end lies before `offset`
   * @throws MillraceError `ERR_GROUP_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_OFFSET_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  commit(group: string, topic: string, queueId: number, offset: number, queueLife?: number): boolean {
    if (this.#closing !== undefined) throw storeClosed();
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new MillraceError("ERR_OFFSET_ILLEGAL", `a queue offset is an integer of at least 0: offset=${shownValue(offset)}`);
    }
    const known = this.#groups.get(group)?.get(topic);
    if (!known?.has(queueId)) checkQueueId(queueId);
    if (known === undefined) {
      checkGroup(group);
      checkStoredTopic(topic);
    }
    if (!this.#counts(topic, queueId, offset, queueLife)) return false;
    (known ?? this.#add(group, topic)).set(queueId, offset);
    this.#changes.add();
    this.#saveLater();
    return true;
  }

  #counts(topic: string, queueId: number, offset: number, queueLife: number | undefined): boolean {
    const queues = this.#queues;
    if (queues === undefined) return true;
    if (queueLife !== undefined && queueLife !== queues.lifeOf(topic, queueId)) return false;
    return offset <= queues.endOf(topic, queueId);
  }

  /**
   * What the group committed last; undefined when it never did (RocketMQ: `queryOffset`, -1).
   *
   * @throws MillraceError `ERR_GROUP_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`
   */
  get(group: string, topic: string, queueId: number): number | undefined {
    const offset = this.#groups.get(group)?.get(topic)?.get(queueId);
    if (offset !== undefined) return offset < 0 ? undefined : offset;
    this.#checkGroup(group);
    checkStoredTopic(topic);
    checkQueueId(queueId);
    return undefined;
  }

  /**
   * The topic's queues, or one of them, begin again at 0: every group has forgotten it. What a broker writes from now on follows on that,
   * so it is saved though no group knew of the topic. (RocketMQ: `cleanOffsetByTopic`.)
   *
   * @internal
   */
  forget(topic: string, queueId?: number): void {
    this.#changes.add();
    for (const [group, topics] of this.#groups) {
      const offsets = topics.get(topic);
      if (offsets === undefined || (queueId !== undefined && !offsets.delete(queueId))) continue;
      if (queueId !== undefined && offsets.size > 0) continue;
      topics.delete(topic);
      this.#file.offsetTable.delete(topic + TOPIC_GROUP_SEPARATOR + group);
    }
    this.#saveLater();
  }

  /**
   * Forgets all that the group has committed: it begins again without offsets. To set it to a time, commit what
   * {@link MessageStore.getOffsetInQueueByTime} answers. (RocketMQ: `removeOffset`.)
   *
   * @returns whether there was anything to forget
   * @throws MillraceError `ERR_GROUP_ILLEGAL`, `ERR_STORE_CLOSED`
   */
  deleteGroup(group: string): boolean {
    if (this.#closing !== undefined) throw storeClosed();
    const topics = this.#groups.get(group);
    if (topics === undefined) {
      checkGroup(group);
      return false;
    }
    for (const topic of topics.keys()) this.#file.offsetTable.delete(topic + TOPIC_GROUP_SEPARATOR + group);
    this.#groups.delete(group);
    this.#changes.add();
    this.#saveLater();
    return true;
  }

  /**
   * What the group has committed, in each queue; none for a group that never did. (RocketMQ: `queryOffset` of each queue.)
   *
   * @throws MillraceError `ERR_GROUP_ILLEGAL`
   */
  committed(group: string): CommittedOffset[] {
    this.#checkGroup(group);
    const committed: CommittedOffset[] = [];
    for (const [topic, offsets] of this.topicsOf(group)) {
      for (const [queueId, offset] of offsets) if (offset >= 0) committed.push({ topic, queueId, offset });
    }
    return committed;
  }

  /** Topic → queue id → offset, as it is in the file: negative for none. @internal */
  topicsOf(group: string): ReadonlyMap<string, ReadonlyMap<number, number>> {
    return this.#groups.get(group) ?? new Map();
  }

  /** Groups that have committed, in this life of the store or before. */
  groups(): string[] {
    return [...this.#groups.keys()];
  }

  /** Why the last save failed; undefined when it did not. What could not be saved is tried again with the next interval. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /**
   * Resolves when everything committed so far is durable. Rejects with `ERR_PATH_UNUSABLE`; nothing is lost from memory then. What a
   * close could not save cannot be saved after it: `ERR_STORE_CLOSED`.
   */
  async persist(): Promise<void> {
    await this.#changes.save(() => this.#write());
  }

  /** Saves once more what was committed, and takes no more commits. Idempotent; rejects as {@link persist}. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      clearInterval(this.#interval);
      // A broker that found the directory locked has put its own copy of the file there when it ended.
      this.#changes.forget();
      this.#closing = this.persist();
    }
    return this.#closing;
  }

  /** While there is something new. */
  #saveLater(): void {
    if (this.#closing === undefined) this.#interval ??= setInterval(this.#saveInBackground, this.#intervalMs).unref();
  }

  readonly #saveInBackground = (): void => {
    this.persist().catch(() => {});
  };

  async #write(): Promise<void> {
    try {
      await this.#save(encodeFile(this.#file), this.#queues?.logOffset ?? this.#openedAtLogOffset);
      this.#lastError = undefined;
    } catch (error) {
      this.#lastError = error;
      throw error;
    }
  }

  /** Whoever else writes the file may have given them other names. */
  #checkGroup(group: string): void {
    if (!this.#groups.has(group)) checkGroup(group);
  }

  #topics(group: string): Map<string, QueueOffsets> {
    const topics = this.#groups.get(group) ?? new Map<string, QueueOffsets>();
    this.#groups.set(group, topics);
    return topics;
  }

  #add(group: string, topic: string): QueueOffsets {
    const offsets: QueueOffsets = new Map();
    this.#topics(group).set(topic, offsets);
    this.#file.offsetTable.set(topic + TOPIC_GROUP_SEPARATOR + group, offsets);
    return offsets;
  }
}

function checkGroup(group: unknown): void {
  if (typeof group !== "string" || !GROUP_PATTERN.test(group)) {
    throw new MillraceError("ERR_GROUP_ILLEGAL", `a group is 1 to 255 of % | a-z A-Z 0-9 _ -: group=${shownValue(group)}`);
  }
}

function decodeFile(value: unknown): OffsetFile {
  return decodeOffsetTable(value, (table) => {
    const offsetTable = new Map<string, QueueOffsets>();
    for (const [key, queues] of Object.entries(table)) {
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
    return offsetTable;
  });
}

function encodeFile(file: OffsetFile): Uint8Array {
  return encodeOffsetTable(
    file,
    Object.fromEntries([...file.offsetTable].map(([key, offsets]) => [key, Object.fromEntries(offsets)])),
  );
}
