import type { Host } from "@millrace/format";

/**
 * A stored message as plain data with memory of its own: what `structuredClone` and `postMessage` take whole. A {@link MessageView} is none
 * of that: its fields are decoded when they are asked for, and a clone of it would be empty.
 */
export interface PlainMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  /** In bytes. */
  readonly physicalOffset: number;
  readonly msgId: string;
  readonly tags: string | undefined;
  readonly keys: string[];
  /** All of them, those of tags and keys too, in stored order. */
  readonly properties: Record<string, string>;
  readonly body: Uint8Array;
  readonly flag: number;
  readonly sysFlag: number;
  /** Milliseconds. */
  readonly bornTimestamp: number;
  readonly bornHost: Host;
  /** Milliseconds. */
  readonly storeTimestamp: number;
  readonly storeHost: Host;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
}

/** A {@link PlainMessage} as JSON has it: the body in base64, as RocketMQ's JSON has it too. */
export type MessageJson = Omit<PlainMessage, "body"> & { readonly body: string };
