import type { StoreStats } from "@millrace/stats";
import type { ProducerHandle } from "@millrace/store";

/** What messages are put into. */
export interface PutTarget {
  putMessage(message: LoadMessage): Promise<LoadPutResult>;
  putMessages(batch: readonly LoadMessage[]): Promise<LoadPutResult>;
}

/** What the load generator needs of a store: the shape of `MessageStore`, so that tests can stand in for it. */
export interface LoadTarget extends PutTarget {
  stats(): StoreStats;
  close(): Promise<void>;
}

/** Owned by its slot; written again only after its put has settled. */
export interface LoadMessage {
  topic: string;
  queueId: number;
  body: Uint8Array;
  tags?: string;
  keys?: string;
}

export interface LoadPutResult {
  readonly status: string;
  readonly appendResult: { readonly wroteOffset: number; readonly queueOffset: number } | null;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
}

/** The store's own options, under the store's names; undefined is left out. */
export interface LoadStoreOptions {
  readonly storePathRootDir: string;
  readonly mappedFileSizeCommitLog: number;
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  readonly transientStorePoolEnable: boolean;
  readonly warmMapedFileEnable: boolean;
  readonly writeWithoutMmap: boolean;
  readonly maxAsyncPutMessageRequests: number;
  /** What retention takes from a full disk cannot be verified. */
  readonly cleanFileForciblyEnable: false;
  /** With slaves. */
  readonly brokerRole?: "ASYNC_MASTER" | "SYNC_MASTER";
  readonly haListenPort?: number;
  readonly inSyncReplicas?: number;
  readonly slaveTimeout?: number;
}

/** What consuming needs besides. */
export interface ConsumedTarget extends LoadTarget {
  consume(options: { topic: string; queueId: number; from: number }): AsyncIterable<ConsumedMessages>;
  /** One past the last message that can be consumed; with `committed` false, that has been put. */
  getMaxOffsetInQueue(topic: string, queueId: number, committed: boolean): number;
  readonly consumerOffsets: {
    commit(group: string, topic: string, queueId: number, offset: number): void;
    get(group: string, topic: string, queueId: number): number | undefined;
  };
}

export interface ConsumedMessages {
  readonly messages: readonly { readonly body: Uint8Array }[];
  readonly nextOffset: number;
}

/** What producers on other threads need besides. */
export interface SharedTarget extends ConsumedTarget {
  /** End of its log. */
  readonly maxPhysicalOffset: number;
  producerHandle(): ProducerHandle;
}

export type OpenStore = (options: LoadStoreOptions) => Promise<SharedTarget>;
