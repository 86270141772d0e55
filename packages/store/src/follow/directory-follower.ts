import { basename, join } from "node:path";
import {
  indexFileLength,
  isIndexFileName,
  isTopicDirectoryLegal,
  MillraceError,
  QUEUE_ID_MAX,
  type StorePaths,
} from "@millrace/format";
import { DirectoryWatch, type Storage } from "@millrace/mapped-file";
import type { MessageReader } from "../read/message-reader.js";
import type { ReadConsumeQueue } from "../read/read-consume-queue.js";
import { FollowedLog } from "./followed-log.js";
import { FollowedQueue } from "./followed-queue.js";
import type { FollowedWords } from "./followed-words.js";
import type { IndexShapeSearch } from "./index-shape-search.js";
import { consumeQueueFileLength } from "./store-sizes.js";

/** How often all queues are looked at: a broker stores through mappings, which no watch notices. */
const LOOK_MS = 100;
/** Every so many looks it is listed which files there are. */
const LOOKS_PER_LISTING = 10;
/** Directories that are watched; the system gives out some thousands of watches to all processes together. */
const WATCH_LIMIT = 512;
const QUEUE_ID_PATTERN = /^(0|[1-9]\d{0,9})$/;

/**
 * Follows a directory that another process writes: new queues, units, segments, and those that go. Holds no lock, writes nothing, has no
 * thread. On the main thread, in looks: at once where the system says that something has changed, a tenth of a second apart otherwise.
 */
export class DirectoryFollower {
  readonly #storage: Storage;
  readonly #paths: StorePaths;
  readonly #words: FollowedWords;
  readonly #reader: MessageReader;
  readonly #log: FollowedLog;
  readonly #indexShape: IndexShapeSearch;
  /** By directory. */
  readonly #queues = new Map<string, FollowedQueue>();
  readonly #watches = new Map<string, DirectoryWatch>();
  /** What the last listing, or a look since then, could not read; by directory. The others are followed. */
  readonly #errors = new Map<string, unknown>();
  /** Directories of queues that have changed since the last look. */
  readonly #changed = new Set<string>();
  /** Undefined while no file tells it. */
  #queueFileSize: number | undefined;
  #isIndexKnown = false;
  #isListingDue = false;
  #looks = 0;
  #turn: NodeJS.Immediate | undefined;
  readonly #interval: NodeJS.Timeout;
  /** Of the last listing as a whole. */
  #listingError: unknown;

  constructor(
    storage: Storage,
    paths: StorePaths,
    segmentSize: number,
    indexShape: IndexShapeSearch,
    words: FollowedWords,
    reader: MessageReader,
  ) {
    this.#storage = storage;
    this.#paths = paths;
    this.#indexShape = indexShape;
    this.#words = words;
    this.#reader = reader;
    const onReplaced = (fromOffset: number): void => reader.commitLog.forgetSegment(fromOffset);
    this.#log = new FollowedLog(storage, paths.commitLog, segmentSize, onReplaced);
    this.#interval = setInterval(this.#onInterval, LOOK_MS).unref();
    try {
      this.#list();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What could not be read, or one of it; undefined once a listing has read it all. What was seen before stays. */
  get lastError(): unknown {
    return this.errors[0]?.[1];
  }

  /** All that {@link lastError} is one of, by file or directory. */
  get errors(): readonly (readonly [path: string, error: unknown])[] {
    return this.#listingError === undefined ? [...this.#errors] : [[this.#paths.root, this.#listingError], ...this.#errors];
  }

  /** One past the last byte of the log's last segment, written or not. */
  get endOfFiles(): number {
    return this.#log.endOfFiles;
  }

  close(): void {
    clearInterval(this.#interval);
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  readonly #onInterval = (): void => {
    this.#looks++;
    if (this.#isListingDue || this.#looks % LOOKS_PER_LISTING === 0) this.#attemptList();
    else this.#look(this.#queues.values());
  };

  readonly #onTurn = (): void => {
    this.#turn = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    if (this.#isListingDue) this.#attemptList();
    else this.#look(changed.flatMap((directory) => this.#queues.get(directory) ?? []));
  };

  #attemptList(): void {
    try {
      this.#list();
      this.#listingError = undefined;
    } catch (error) {
      this.#listingError = error; // the directory changes beneath it: the next listing finds it as it is then
    }
  }

  /** One directory that cannot be read costs no other. */
  #attempt(directory: string, look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#errors.set(directory, error);
    }
  }

  #look(queues: Iterable<FollowedQueue>): void {
    let hasArrivals = false;
    for (const queue of queues) {
      this.#attempt(queue.directory, () => {
        if (!queue.advance()) return;
        hasArrivals = true;
        this.#show(queue);
      });
    }
    if (hasArrivals) this.#words.publish();
  }

  #show({ queue, minOffset, maxOffset, nextOffset, physicalEnd }: FollowedQueue): void {
    this.#words.raiseEnd(physicalEnd);
    this.#words.setQueue(queue.slot, minOffset, maxOffset, nextOffset);
  }

  #list(): void {
    this.#isListingDue = false;
    this.#log.refresh();
    this.#queueFileSize ??= this.#learnQueueFileSize();
    this.#watch(this.#paths.consumeQueue, this.#onNewFiles);
    this.#errors.clear();
    this.#attempt(this.#paths.index, () => this.#lookAtIndex());
    const topics = this.#queueFileSize === undefined ? [] : this.#topicDirectories();
    for (const topic of topics) this.#watch(topic, this.#onNewFiles); // first, so that nothing that comes is missed
    const directories = topics.flatMap((topic) => this.#queueDirectoriesOf(topic));
    this.#closeWatchesBut(new Set([this.#paths.consumeQueue, ...topics, ...directories]));
    for (const directory of directories) if (!this.#queues.has(directory)) this.#attempt(directory, () => this.#add(directory));
    for (const [directory, queue] of this.#queues) this.#attempt(directory, () => this.#relist(directory, queue));
    this.#words.setMinOffset(this.#log.minOffset);
    this.#reader.forgetExpired();
    this.#look(this.#queues.values());
    this.#words.publish();
  }

  #relist(directory: string, queue: FollowedQueue): void {
    const life = queue.refresh();
    if (life === "gone") return this.#hide(queue);
    if (life === "same") return this.#isHidden(queue) ? this.#showAgain(queue) : this.#show(queue);
    this.#forget(directory, queue);
    this.#add(directory);
  }

  #isHidden({ queue }: FollowedQueue): boolean {
    return this.#words.topics.findSlot(queue.topic, queue.queueId) !== queue.slot;
  }

  #hide(queue: FollowedQueue): void {
    if (this.#isHidden(queue)) return;
    const { topic, queueId, slot } = queue.queue;
    this.#words.topics.forgetQueue(topic, queueId);
    this.#reader.consumeQueues.forgetQueue(slot);
  }

  /** The same life goes on in another slot. */
  #showAgain(queue: FollowedQueue): void {
    const { topic, queueId, slot } = queue.queue;
    const found = this.#find(topic, queueId);
    if (found === undefined) return;
    this.#words.topics.setContinued(slot, found.slot);
    queue.queue = found;
    this.#show(queue);
  }

  /** With its first file: queue slots are not given back. */
  #add(directory: string): void {
    this.#watch(directory, () => this.#onChange(directory));
    if (!FollowedQueue.isIn(this.#storage, directory)) return;
    const [topic, queueId] = [basename(join(directory, "..")), Number(basename(directory))];
    const found = this.#find(topic, queueId);
    if (found === undefined) return;
    const queue = new FollowedQueue(this.#storage, this.#log, found, directory, this.#queueFileSize as number);
    this.#queues.set(directory, queue);
  }

  #find(topic: string, queueId: number): ReadConsumeQueue | undefined {
    const { topics } = this.#words;
    topics.slot(topics.recovered(topic), queueId);
    return this.#reader.consumeQueues.find(topic, queueId);
  }

  /** Deleted with its topic, and put again: a queue of the same name is another one. */
  #forget(directory: string, queue: FollowedQueue): void {
    this.#queues.delete(directory);
    this.#watches.get(directory)?.close();
    this.#watches.delete(directory);
    this.#hide(queue);
  }

  #topicDirectories(): string[] {
    return this.#storage.list(this.#paths.consumeQueue).flatMap(({ kind, name }) => {
      const isTopic = kind === "directory" && isTopicDirectoryLegal(name);
      return isTopic ? [join(this.#paths.consumeQueue, name)] : [];
    });
  }

  #queueDirectoriesOf(topic: string): string[] {
    const directories: string[] = [];
    this.#attempt(topic, () => {
      for (const { kind, name } of this.#storage.list(topic))
        if (kind === "directory" && QUEUE_ID_PATTERN.test(name) && Number(name) <= QUEUE_ID_MAX)
          directories.push(join(topic, name));
    });
    return directories;
  }

  #learnQueueFileSize(): number | undefined {
    const length = consumeQueueFileLength(this.#storage, this.#paths);
    if (length !== undefined) this.#reader.useConsumeQueueFileSize(length);
    return length;
  }

  /** In a file of another length no query finds anything. */
  #lookAtIndex(): void {
    const shape = this.#indexShape.find();
    if (shape === undefined) return;
    if (!this.#isIndexKnown) this.#reader.useIndexShape(shape);
    this.#isIndexKnown = true;
    const expected = indexFileLength(shape);
    for (const { kind, name, size } of this.#storage.list(this.#paths.index)) {
      if (kind !== "file" || !isIndexFileName(name) || size === 0 || size === expected) continue;
      const path = join(this.#paths.index, name);
      const text = `index file of another length than the others: path=${path} length=${size} expected=${expected}`;
      this.#errors.set(path, new MillraceError("ERR_INDEX_FILE_SIZE", text));
    }
  }

  #watch(directory: string, onChange: () => void): void {
    if (this.#watches.has(directory) || this.#watches.size >= WATCH_LIMIT) return;
    const onEnd = (): void => {
      if (this.#watches.get(directory) === watch) this.#watches.delete(directory);
    };
    const watch = DirectoryWatch.begin(directory, onChange, onEnd);
    if (watch !== undefined) this.#watches.set(directory, watch);
  }

  /** Of directories that are not there any more: a directory of the same name is another one, and watches are few. */
  #closeWatchesBut(listed: ReadonlySet<string>): void {
    for (const [directory, watch] of this.#watches) {
      if (listed.has(directory)) continue;
      watch.close();
      this.#watches.delete(directory);
    }
  }

  readonly #onNewFiles = (): void => {
    this.#isListingDue = true;
    this.#turn ??= setImmediate(this.#onTurn).unref();
  };

  #onChange(directory: string): void {
    if (this.#queues.has(directory)) this.#changed.add(directory);
    else this.#isListingDue = true;
    this.#turn ??= setImmediate(this.#onTurn).unref();
  }
}
