import type { DelayLevels } from "@millrace/format";
import {
  DispatchRequest,
  isReservedTopic,
  MillraceError,
  PROPERTY_CRC_NAME,
  SCHEDULE_TOPIC,
  SYS_FLAG_COMMIT,
  shownValue,
} from "@millrace/format";
import type { ControlBlock } from "@millrace/shared-memory";
import type { CommitLogReader } from "../read/commit-log-reader.js";
import type { ReadSegment } from "../read/read-segment.js";
import { selectsSystemTopics, type TopicSelection } from "../read/topic-selection.js";
import type { ArrivalSignal } from "./arrival-signal.js";

/** Records that listeners are notified of in one turn of the event loop. */
const RECORDS_PER_TURN = 256;

/** A message that can be read now, by queue offset and by key. */
export interface MessageArrival {
  readonly topic: string;
  readonly queueId: number;
  /** The message's own. (RocketMQ passes the next one.) */
  readonly queueOffset: number;
  /** Java hash of the tags, 0 without tags; in SCHEDULE_TOPIC_XXXX the time when the message is due, in milliseconds. */
  readonly tagsCode: number;
  /** Milliseconds. */
  readonly storeTimestamp: number;
  /** In stored order, without the store's own `__CRC32#`. */
  readonly properties: ReadonlyMap<string, string>;
}

/** Notified of each message that can be consumed. (RocketMQ: `MessageArrivingListener`.) */
export type MessageArrivingListener = (arrival: MessageArrival) => void;

interface Registration {
  readonly listener: MessageArrivingListener;
  /** It is notified of records from this offset on. */
  readonly fromOffset: number;
  readonly systemTopics: boolean;
}

/**
 * Tells listeners of every message that can be consumed, in the order of the log: not of prepared messages and rollbacks, of which RocketMQ
 * tells too. Decodes the log itself, behind the dispatcher, only while there are listeners, a bounded number of records in each turn of the
 * event loop. Records that are deleted before their turn are passed over. (RocketMQ: `MessageArrivingListener`.)
 */
export class MessageArriving {
  readonly #log: CommitLogReader;
  readonly #counters: ControlBlock<"main">["counters"];
  readonly #arrivals: ArrivalSignal;
  readonly #delayLevels: DelayLevels;
  readonly #registrations = new Set<Registration>();
  readonly #request = new DispatchRequest();
  #unwatch: (() => void) | undefined;
  /** Next record to tell of. */
  #offset = 0;
  #turn: NodeJS.Immediate | undefined;
  #isTelling = false;

  constructor(log: CommitLogReader, control: ControlBlock<"main">, arrivals: ArrivalSignal, delayLevels: DelayLevels) {
    this.#log = log;
    this.#counters = control.counters;
    this.#arrivals = arrivals;
    this.#delayLevels = delayLevels;
  }

  /**
   * From now on `listener` is notified of what arrives, until the function returned is called. It does not keep the process alive. One that
   * throws disturbs nobody: the error becomes an uncaught exception of the process, as those of an EventTarget's listeners do.
   *
   * @throws MillraceError `ERR_LISTENER_ILLEGAL`
   */
  add(listener: MessageArrivingListener, selection: TopicSelection = {}): () => void {
    if (typeof listener !== "function") {
      throw new MillraceError("ERR_LISTENER_ILLEGAL", `a listener is a function: listener=${shownValue(listener)}`);
    }
    const systemTopics = selectsSystemTopics(selection, "ERR_LISTENER_ILLEGAL");
    const registration = { listener, fromOffset: this.#counters.reputFromOffset.get(), systemTopics };
    this.#registrations.add(registration);
    if (this.#unwatch === undefined) {
      this.#offset = registration.fromOffset;
      this.#unwatch = this.#arrivals.watch(this.#tell);
    }
    return () => {
      this.#registrations.delete(registration);
      if (this.#registrations.size === 0) this.close();
    };
  }

  /** Nobody is notified any more. */
  close(): void {
    this.#registrations.clear();
    this.#unwatch?.();
    this.#unwatch = undefined;
    clearImmediate(this.#turn);
    this.#turn = undefined;
  }

  readonly #nextTurn = (): void => {
    this.#turn = undefined;
    this.#tell();
  };

  readonly #tell = (): void => {
    if (this.#turn !== undefined || this.#isTelling) return;
    this.#isTelling = true;
    try {
      const end = this.#counters.reputFromOffset.get();
      for (let records = 0; this.#offset < end && this.#registrations.size > 0; records++) {
        if (records === RECORDS_PER_TURN) {
          this.#turn = setImmediate(this.#nextTurn);
          return;
        }
        this.#tellNext(end);
      }
    } catch {
      // A segment could not be mapped: nothing was passed over, and the next look tries again.
    } finally {
      this.#isTelling = false;
    }
  };

  /** Moves on by one record, over one that is corrupt, to the next segment at the end of one, or to the first one that is still there. */
  #tellNext(end: number): void {
    const log = this.#log;
    const offset = Math.max(this.#offset, log.minOffset);
    const segment = log.segmentAt(offset);
    const size = segment === undefined ? 0 : log.sizeAt(offset);
    this.#offset = Math.min(end, size > 0 ? offset + size : log.nextAfter(offset));
    if (segment === undefined || size === 0 || log.isCorrupt(segment, offset, size) || !this.#read(segment, offset, size)) return;
    const arrival = this.#arrival();
    const isReserved = isReservedTopic(arrival.topic);
    for (const registration of this.#registrations) {
      if (offset < registration.fromOffset || (isReserved && !registration.systemTopics)) continue;
      try {
        registration.listener(arrival);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** False for what cannot be consumed. */
  #read(segment: ReadSegment, offset: number, size: number): boolean {
    const request = this.#request;
    const isRecord = request.read(segment.bytes, offset - segment.fromOffset, size);
    return isRecord && (request.transactionType === 0 || request.transactionType === SYS_FLAG_COMMIT);
  }

  #arrival(): MessageArrival {
    const request = this.#request;
    const { topic, delayTimeLevel, storeTimestamp } = request;
    const properties = request.properties;
    properties.delete(PROPERTY_CRC_NAME);
    const isDelayed = topic === SCHEDULE_TOPIC && delayTimeLevel > 0;
    return {
      topic,
      queueId: request.queueId,
      queueOffset: request.consumeQueueOffset,
      tagsCode: isDelayed ? this.#delayLevels.deliverTime(delayTimeLevel, storeTimestamp) : request.tagsCode,
      storeTimestamp,
      properties,
    };
  }
}
