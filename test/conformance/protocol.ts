/** What the two programs of this folder are told and what they answer: README.md as types. */
import type { Host } from "@millrace/store";

export interface ProgramOptions {
  readonly mappedFileSizeCommitLog: number;
  readonly mappedFileSizeConsumeQueue: number;
  readonly maxHashSlotNum: number;
  readonly maxIndexNum: number;
  readonly maxMessageSize: number;
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  readonly messageDelayLevel: string;
  readonly enabledAppendPropCRC: boolean;
  readonly fileReservedTime: number;
  /** Millrace only. */
  readonly writeWithoutMmap: boolean;
  /** Of a pair: see `replication.ts`. */
  readonly brokerRole?: "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
  readonly haListenPort?: number;
  readonly haMasterAddress?: string;
  readonly haSendHeartbeatInterval?: number;
  readonly slaveTimeout?: number;
  /** 4.9 has none: one slave is enough. */
  readonly inSyncReplicas?: number;
}

export interface ProgramMessage {
  readonly topic: string;
  readonly queueId: number;
  /** Base64. */
  readonly body: string;
  /** In the order of the setters. */
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly bornHost: Host;
  readonly storeHost: Host;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
}

export interface Put {
  readonly messages: readonly ProgramMessage[];
  readonly isBatch: boolean;
  /** Where RocketMQ's clock stands. */
  readonly storeTimestamp?: number;
  /** Whether the property string ends with 0x02, as RocketMQ 5's clients write it; Millrace always does. Default true. */
  readonly trailingSeparator?: boolean;
}

export interface PutAnswer {
  readonly status: string;
  readonly offset?: number;
  readonly bytes?: number;
  readonly queueOffset?: number;
  readonly storeTimestamp?: number;
  readonly msgId?: string;
}

export interface Probe {
  readonly queues: readonly (readonly [topic: string, queueId: number])[];
  readonly keys: readonly (readonly [topic: string, key: string])[];
  readonly times: readonly number[];
  readonly offsets: readonly number[];
}

export type DumpLine = Readonly<Record<string, unknown>> & { readonly kind: string };

export interface Commands {
  open: [{ directory: string; options: ProgramOptions }, { recovered: number }];
  put: [{ directory: string; puts: readonly Put[] }, PutAnswer[]];
  settle: [{ directory: string }, null];
  position: [{ directory: string }, { maxOffset: number }];
  dump: [{ directory: string; probe: Probe }, DumpLine[]];
  deleteExpired: [{ directory: string }, null];
  close: [{ directory: string }, null];
  halt: [Record<string, never>, never];
}

export interface ProgramRequest {
  readonly id: number;
  readonly command: keyof Commands;
  readonly [argument: string]: unknown;
}

export type ProgramAnswer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };
