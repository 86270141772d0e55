import type { DispatchRequest } from "@millrace/format";
import {
  consumeQueueDirectory,
  DelayLevels,
  SCHEDULE_TOPIC,
  type StorePaths,
  SYS_FLAG_COMMIT,
  storePaths,
  unitTagsCode,
} from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import {
  type ControlBlock,
  type DispatchHints,
  type OwnedQueueColumn,
  type QueueTableBuffers,
  QueueTableReader,
  queueColumns,
} from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { QueueSlots } from "../pipeline/queue-slots.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { ConsumeQueue } from "./consume-queue.js";
import { ConsumeQueueChecksumTable } from "./consume-queue-checksum-table.js";
import { ConsumeQueueFiles } from "./consume-queue-files.js";
import type { HintedDispatcher } from "./hinted-dispatcher.js";

/** The path of a queue or of one of its files is taken by something else, or not for us. */
const PLACE_ERRORS = new Set(["ERR_FILE_TYPE", "ENOTDIR", "EEXIST", "ELOOP", "EACCES", "EPERM"]);

/**
 * Builds the ConsumeQueues: a unit for each record that can be consumed, in the queue's file before the columns `maxQueueOffset` and
 * `minQueueOffset` tell of it. Owner of both columns. (RocketMQ: `CommitLogDispatcherBuildConsumeQueue`, `ConsumeQueueStore`.)
 */
export class ConsumeQueueDispatcher implements HintedDispatcher {
  readonly name = "ConsumeQueue";
  /** By slot; what is missing has had no record yet. */
  readonly queues: (ConsumeQueue | undefined)[] = [];
  /** Records whose queue is not of this store: their topic was deleted; or was set aside. */
  undispatched = 0;
  readonly #counters: ControlBlock<"dispatch">["counters"];
  readonly checksums: ConsumeQueueChecksumTable;
  readonly #paths: StorePaths;
  readonly #files: ConsumeQueueFiles;
  readonly #slots: QueueSlots;
  readonly #max: OwnedQueueColumn;
  readonly #min: OwnedQueueColumn;
  readonly #delayLevels: DelayLevels;
  readonly #deletedTopics: Map<string, number>;
  readonly #events: StoreEventSink | undefined;
  /** Have units of this group. */
  readonly #touched: ConsumeQueue[] = [];

  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    table: QueueTableBuffers,
    control: ControlBlock<"dispatch">,
    deletedTopics: ReadonlyMap<string, number>,
    events?: StoreEventSink,
  ) {
    this.#counters = control.counters;
    this.#paths = storePaths(config.storePathRootDir);
    this.checksums = new ConsumeQueueChecksumTable(storage, this.#paths.consumeQueueChecksums);
    this.#files = new ConsumeQueueFiles(storage, config.mappedFileSizeConsumeQueue);
    const { maxQueueOffsets, minQueueOffsets } = queueColumns(table, control);
    this.#max = maxQueueOffsets;
    this.#min = minQueueOffsets;
    this.#delayLevels = DelayLevels.parse(config.messageDelayLevel);
    this.#deletedTopics = new Map(deletedTopics);
    this.#events = events;
    const reader = new QueueTableReader(table, control.counters.queueSlots);
    this.#slots = new QueueSlots(reader, (slot, topic, queueId) => this.#addQueue(slot, Buffer.from(topic).toString(), queueId));
  }

  dispatch(request: DispatchRequest): void {
    const type = request.transactionType;
    if (type !== 0 && type !== SYS_FLAG_COMMIT) return;
    const queue = this.queues[this.#slotOf(request)] ?? this.#queueAfterRefresh(request);
    if (queue === undefined) {
      this.undispatched++;
      return;
    }
    const tagsCode = unitTagsCode(request, queue.isSchedule, this.#delayLevels);
    this.#put(queue, request.commitLogOffset, request.msgSize, tagsCode, request.consumeQueueOffset);
  }

  /** A queue that is not known by its slot is found by its name. */
  dispatchHint(hint: DispatchHints): boolean {
    const queue = this.queues[hint.queueSlot];
    if (queue === undefined) return false;
    this.#put(queue, hint.physicalOffset, hint.size, hint.tagsCode, hint.queueOffset);
    return true;
  }

  /**
   * A record that is not as it was written has a unit where it says of itself what its queue waits for: who gets there finds it
   * corrupt. Otherwise a hole stays, which readers pass over.
   */
  dispatchCorrupt(request: DispatchRequest): void {
    const queue = this.queues[this.#slotOf(request)];
    if (queue?.maxOffset === request.consumeQueueOffset) this.dispatch(request);
  }

  /** Queues that were written stay in the list until all are: after a failure the columns still tell of nothing. */
  endGroup(): void {
    for (let i = this.#touched.length - 1; i >= 0; i--) {
      const queue = this.#touched[i] as ConsumeQueue; // one that is set aside leaves the list
      try {
        queue.write();
      } catch (error) {
        this.#setAside(queue, error);
      }
    }
    for (const queue of this.#touched) {
      this.#min.set(queue.slot, queue.minOffset);
      this.#max.set(queue.slot, queue.maxOffset);
    }
    this.#touched.length = 0;
  }

  force(): void {
    for (const queue of this.queues) queue?.force();
    this.syncTopics();
  }

  /** Names of new topics and queues; those of files are made durable with the queue's force. */
  syncTopics(): void {
    this.#files.syncTopics();
  }

  /** At the beginning: what was noted of units that recovery has cut must not be said of those that come in their places. */
  beginNotes(): void {
    this.refresh();
    this.checksums.keepOnly(this.queues.flatMap((queue) => queue?.directory ?? []));
  }

  /** Queues registered by main exist here from now on. */
  refresh(): void {
    this.#slots.refresh();
  }

  /** The queue's first unit whose record is still on disk. */
  setMinOffset(queue: ConsumeQueue, minOffset: number): void {
    queue.minOffset = minOffset;
    this.#min.set(queue.slot, minOffset);
  }

  /** Records of the topic below `offset` are not dispatched any more. */
  setTopicDeleted(topic: string, offset: number): void {
    this.#deletedTopics.set(topic, offset);
  }

  /** Queues of which records are not in their files. */
  get hasRefusedQueues(): boolean {
    return this.#counters.dispatchRefusedQueues.value > 0;
  }

  /** Lets go of queues whose files are about to be deleted; nothing in them can be read from now on. */
  drop(queues: readonly ConsumeQueue[]): void {
    this.checksums.forgetQueues(queues.map(({ directory }) => directory));
    for (const queue of queues) {
      this.#min.set(queue.slot, this.#max.get(queue.slot));
      this.#letGo(queue);
    }
  }

  close(): void {
    this.#files.close();
  }

  /**
   * What lies in the place of one queue's files must not keep the others from theirs: the queue takes no more, until the next open
   * finds its records in the log again, because the mark stays where it is. All other errors are thrown.
   */
  #setAside(queue: ConsumeQueue, error: unknown): void {
    if (!PLACE_ERRORS.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    this.#letGo(queue);
    this.#counters.dispatchRefusedQueues.add(1);
    this.#events?.emit("error", {
      service: "dispatch",
      code: "ERR_FILE_TYPE",
      message: `the files of a queue have no place, so it is served again by the next open: directory=${queue.directory} cause=${error}`,
    });
    this.undispatched++;
  }

  #put(queue: ConsumeQueue, physicalOffset: number, size: number, tagsCode: number, queueOffset: number): void {
    const wasPending = queue.isPending;
    try {
      queue.put(physicalOffset, size, tagsCode, queueOffset);
    } catch (error) {
      return this.#setAside(queue, error);
    }
    if (!wasPending && queue.isPending) this.#touched.push(queue);
  }

  #letGo(queue: ConsumeQueue): void {
    this.queues[queue.slot] = undefined;
    const touched = this.#touched.indexOf(queue);
    if (touched >= 0) this.#touched.splice(touched, 1);
    queue.discard();
    this.#files.forget(queue);
  }

  #slotOf(request: DispatchRequest): number {
    return this.#slots.find(request.bytes, request.topicPosition, request.topicLength, request.queueId);
  }

  /** A queue that was deleted may be registered again, in another slot. */
  #queueAfterRefresh(request: DispatchRequest): ConsumeQueue | undefined {
    this.#slots.refresh();
    return this.queues[this.#slotOf(request)];
  }

  #addQueue(slot: number, topic: string, queueId: number): void {
    const place = {
      slot,
      directory: consumeQueueDirectory(this.#paths, topic, queueId),
      isSchedule: topic === SCHEDULE_TOPIC,
      fromOffset: this.#deletedTopics.get(topic) ?? 0,
    };
    const maxOffset = this.#max.get(slot);
    const checksums = this.checksums.of(place.directory, maxOffset);
    this.queues[slot] = new ConsumeQueue(this.#files, place, this.#min.get(slot), maxOffset, checksums);
  }
}
