import type { Host } from "@millrace/format";

/** What {@link MessageStore.putMessage} takes. (RocketMQ: `MessageExtBrokerInner`.) Do not change it before its promise settles. */
export interface Message {
  /** 1 to 127 of `% | a-z A-Z 0-9 _ -`; up to 255 after `%RETRY%` and `%DLQ%`. */
  readonly topic: string;
  /** 0 to 2^31 - 1. */
  readonly queueId: number;
  readonly body: Uint8Array;
  readonly tags?: string;
  /** Several keys, or one string of keys separated by spaces. */
  readonly keys?: string | readonly string[];
  /** A plain object, no Map. Names and values are not empty, and hold neither 0x01 nor 0x02. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Any 32 bits. Default 0. */
  readonly flag?: number;
  /** Transaction type and compression bits. Default 0. */
  readonly sysFlag?: number;
  /** Milliseconds, or a Date. Default: now. */
  readonly bornTimestamp?: number | Date;
  /** Default 127.0.0.1:0. */
  readonly bornHost?: Host;
  /** Default: the store's. */
  readonly storeHost?: Host;
  readonly reconsumeTimes?: number;
  readonly preparedTransactionOffset?: number;
  /** 1 … as many as `messageDelayLevel` has; higher ones count as the highest. Default 0: no delay. */
  readonly delayTimeLevel?: number;
  /** SYNC_FLUSH: false acknowledges when appended. Default true. */
  readonly waitStoreMsgOK?: boolean;
}
