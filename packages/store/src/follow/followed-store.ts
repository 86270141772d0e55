import { setTimeout } from "node:timers/promises";
import { MillraceError, type StorePaths } from "@millrace/format";
import { createStorage, type Storage, type StorageSpec } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import { GroupLags } from "../broker/group-lags.js";
import { checkCallOptions } from "../config/call-options.js";
import { type MessageStoreConfig, resolveConfig } from "../config/message-store-config.js";
import { pathsOf, type ReadOnlyOptions } from "../config/read-only-options.js";
import { ArrivalSignal } from "../consume/arrival-signal.js";
import { MessageConsumers } from "../consume/message-consumers.js";
import { DeletedTopics } from "../marks/deleted-topics.js";
import { readFlushedWatermark } from "../marks/flushed-watermark.js";
import { APPENDED_NOWHERE } from "../read/commit-log-reader.js";
import { MessageReader } from "../read/message-reader.js";
import { refuseUnsupportedDirectories } from "../recover/unsupported-directories.js";
import { pathUnusable } from "../tell/path-unusable.js";
import { DirectoryFollower } from "./directory-follower.js";
import { type DirectoryStats, readDirectoryFiles } from "./directory-stats.js";
import {
  DirectoryVerifier,
  type DirectoryVerifyOptions,
  type DirectoryVerifyReport,
  type VerifiedLog,
} from "./directory-verifier.js";
import { FollowedOffsets } from "./followed-offsets.js";
import { FollowedWords } from "./followed-words.js";
import { IndexShapeSearch } from "./index-shape-search.js";
import { LogWindow } from "./log-window.js";
import { readStoreSizes, type StoreSizes } from "./store-sizes.js";

const FIRST_SEGMENT_MS = 2000;
const FIRST_SEGMENT_LOOK_MS = 20;

/** A directory that is read while somebody else, or nobody, has it open. {@link ReadOnlyMessageStore} is its face. */
export class FollowedStore {
  readonly config: MessageStoreConfig;
  readonly reader: MessageReader;
  readonly consumers: MessageConsumers;
  readonly consumerOffsets: FollowedOffsets;
  readonly #storage: Storage;
  readonly #paths: StorePaths;
  readonly #words: FollowedWords;
  readonly #arrivals: ArrivalSignal;
  readonly #follower: DirectoryFollower;
  readonly #lags: GroupLags;

  private constructor(storage: Storage, paths: StorePaths, config: MessageStoreConfig, indexShape: IndexShapeSearch) {
    this.config = config;
    this.#storage = storage;
    this.#paths = paths;
    const words = new FollowedWords();
    const { control, queues, topics } = words;
    this.#words = words;
    this.reader = new MessageReader(storage, config, control, queues, topics, APPENDED_NOWHERE);
    this.#lags = new GroupLags(topics, this.reader.consumeQueues.columns);
    this.#arrivals = new ArrivalSignal(control, queues, topics);
    this.consumers = new MessageConsumers(this.reader, this.#arrivals);
    this.consumerOffsets = new FollowedOffsets(storage, paths.consumerOffset);
    try {
      this.#follower = new DirectoryFollower(storage, paths, config.mappedFileSizeCommitLog, indexShape, words, this.reader);
    } catch (error) {
      this.#closeReading();
      throw error;
    }
  }

  /** See {@link MessageStore.openReadOnly}. */
  static async open(storePathRootDir: string, options: ReadOnlyOptions, spec: StorageSpec): Promise<FollowedStore> {
    const paths = pathsOf(storePathRootDir, options);
    const storage = createStorage(spec);
    try {
      await firstSegment(storage, paths);
      const indexShape = new IndexShapeSearch(storage, paths.index);
      const sizes = { ...sizesOf(storage, paths), ...shapeNow(indexShape) };
      refuseUnsupportedDirectories(storage, paths);
      return new FollowedStore(storage, paths, resolveConfig({ storePathRootDir, ...options, ...sizes }), indexShape);
    } catch (error) {
      throw pathUnusable(error, "the store cannot be read here", paths.root);
    }
  }

  get maxPhysicalOffset(): number {
    return this.#words.end;
  }

  /** The watermark lags, and a broker has none. */
  get flushedOffset(): number {
    const watermark = this.#look(() => readFlushedWatermark(this.#storage, this.#paths.watermark));
    return Math.min(watermark?.flushedOffset ?? 0, this.#words.end);
  }

  get minPhysicalOffset(): number {
    return this.#words.control.counters.minOffset.get();
  }

  /** What has not been dispatched is not there for a reader. */
  get dispatchBehindBytes(): number {
    return 0;
  }

  get lastError(): unknown {
    return this.#follower.lastError;
  }

  stats(): DirectoryStats {
    return { ...this.#look(() => readDirectoryFiles(this.#storage, this.#paths)), consumers: this.#consumers() };
  }

  /** What a damaged file of offsets hides is not worth the rest. */
  #consumers(): DirectoryStats["consumers"] {
    try {
      return this.#lags.look(this.consumerOffsets.saved());
    } catch (error) {
      if (error instanceof MillraceError && error.code === "ERR_CONSUMER_OFFSETS_CORRUPT") return undefined;
      throw error;
    }
  }

  #look<T>(look: () => T): T {
    try {
      return look();
    } catch (error) {
      throw pathUnusable(error, "the directory cannot be looked at", this.#paths.root);
    }
  }

  /** See {@link ReadOnlyMessageStore.verify}. */
  async verify(options: DirectoryVerifyOptions): Promise<DirectoryVerifyReport> {
    checkCallOptions(options);
    const { storePathCommitLog, mappedFileSizeCommitLog } = this.config;
    try {
      const log: VerifiedLog = {
        reader: this.reader,
        window: new LogWindow(this.#storage, storePathCommitLog, mappedFileSizeCommitLog),
        minOffset: this.minPhysicalOffset,
        endOffset: this.maxPhysicalOffset,
        deletedTopics: DeletedTopics.read(this.#storage, this.#paths.deletedTopics).offsets,
        unread: () => this.#follower.errors,
      };
      return await new DirectoryVerifier(log, options).run();
    } catch (error) {
      throw pathUnusable(error, "the store cannot be verified", this.#paths.root);
    }
  }

  close(): void {
    this.#follower.close();
    this.#closeReading();
  }

  #closeReading(): void {
    this.consumers.close();
    this.#arrivals.close();
    this.reader.close();
  }
}

/** A store that is just being made has a directory for its log a moment before it has a segment. */
async function firstSegment(storage: Storage, paths: StorePaths): Promise<void> {
  const deadline = monotonicMs() + FIRST_SEGMENT_MS;
  while (storage.exists(paths.commitLog) && readStoreSizes(storage, paths).mappedFileSizeCommitLog === undefined) {
    if (monotonicMs() >= deadline) return;
    await setTimeout(FIRST_SEGMENT_LOOK_MS);
  }
}

/** What cannot be read, the follower tells, and learns later. */
function shapeNow(indexShape: IndexShapeSearch): StoreSizes | undefined {
  try {
    return indexShape.find();
  } catch {
    return undefined;
  }
}

/** Without those of the index. @throws MillraceError `ERR_PATH_UNUSABLE`: no log lies there */
function sizesOf(storage: Storage, paths: StorePaths): StoreSizes {
  const sizes = readStoreSizes(storage, paths);
  if (sizes.mappedFileSizeCommitLog !== undefined) return sizes;
  throw new MillraceError("ERR_PATH_UNUSABLE", `there is no store here, or none with a segment yet: path=${paths.commitLog}`);
}

/** See {@link MessageStore.sizesOf}. */
export function storeSizes(storePathRootDir: string, options: ReadOnlyOptions, spec: StorageSpec): StoreSizes {
  const storage = createStorage(spec);
  const paths = pathsOf(storePathRootDir, options);
  try {
    return { ...sizesOf(storage, paths), ...new IndexShapeSearch(storage, paths.index).find() };
  } catch (error) {
    throw pathUnusable(error, "the store cannot be read here", paths.root);
  }
}
