import type { MessagePort } from "node:worker_threads";
import { MillraceError, type MillraceErrorCode } from "@millrace/format";
import type { SharedMemoryObject } from "@millrace/kernels";
import type { ControlBlockBuffer, PutRingBuffers } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";

/** The shared memory of a store, and a ring in it that no producer has yet. */
interface ProducerPlace {
  readonly config: MessageStoreConfig;
  readonly control: ControlBlockBuffer;
  readonly kernelMemory: SharedMemoryObject;
  readonly ring: PutRingBuffers;
  /** To the store's thread: control plane only. */
  readonly port: MessagePort;
}

/**
 * What makes another thread a producer of this store: it is posted there, once, with its `transferList`, and given to
 * `MessageProducer.attach`. Its contents are the store's own affair.
 */
export class ProducerHandle {
  /** @internal */
  readonly place: ProducerPlace;

  /** @internal */
  constructor(place: ProducerPlace) {
    this.place = place;
  }

  /** For `postMessage(handle, handle.transferList)`, or beside `workerData` of a new Worker. */
  get transferList(): MessagePort[] {
    return [this.place.port];
  }
}

/** A MillraceError between threads, where errors lose their codes. */
export interface PostedError {
  readonly code: MillraceErrorCode;
  readonly message: string;
  readonly status?: string;
  readonly outcome?: "none" | "unknown";
}

/** What a producer asks of the store's thread (Comlink). */
export interface StoreFace {
  /** The queue's slot; why it has none. */
  slot(topic: string, queueId: number): number | PostedError;
  /** A delayed message has been put. */
  delayed(): void;
}

/** What the store's thread asks of a producer (Comlink). */
export interface ProducerFace {
  /** Takes no puts of the topic until {@link resume}; answers when none of those taken before is on its way. */
  suspend(topic: string): Promise<void>;
  resume(topic: string): void;
  /** Takes no puts from now on; answers when all are acknowledged. */
  refuse(error: PostedError): Promise<void>;
  /** Nobody will answer any more: what is not acknowledged is rejected. */
  abandon(error: PostedError): void;
}

export function posted({ code, message, status, outcome }: MillraceError): PostedError {
  return { code, message, outcome, ...(status === undefined ? {} : { status }) };
}

export function errorOf({ code, message, ...details }: PostedError): MillraceError {
  return new MillraceError(code, message, details);
}
