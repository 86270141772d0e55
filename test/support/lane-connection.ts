import type { Socket } from "node:net";
import { ControlBlock, type ControlBlockBuffer } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import type { MessageStoreConfig } from "#store/config/message-store-config.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { HaConnection, type HaConnectionOwner } from "#store/replicate/ha-connection.js";
import type { LogBytes } from "#store/replicate/log-bytes.js";
import { fillLog } from "./lane-log.js";

/** A connection whose log is that of `lane-log.ts`, as far as the appender's words say that it goes. */
export interface LaneConnection {
  readonly connection: HaConnection;
  /** Its own. */
  readonly control: ControlBlock<"replicate">;
  readonly config: MessageStoreConfig;
  /** Bytes that the slave was sent, as its owner was told. */
  sentBytes(): number;
  /** Codes with which it has ended; undefined: by the slave. */
  readonly ends: (string | undefined)[];
  /** What the system had said against it when it ended. */
  readonly failures: (string | undefined)[];
}

export function laneConnection(socket: Socket, buffer: ControlBlockBuffer, options: MessageStoreOptions = {}): LaneConnection {
  const config = resolveConfig({ brokerRole: "SYNC_MASTER", haListenPort: 0, ...options });
  const control = ControlBlock.attach(buffer, "replicate");
  const log = {
    read(offset: number, end: number, target: Uint8Array): number {
      const length = Math.max(0, Math.min(target.length, end - offset));
      fillLog(target.subarray(0, length), offset);
      return length;
    },
    close() {},
  };
  const ends: (string | undefined)[] = [];
  const failures: (string | undefined)[] = [];
  let bytes = 0;
  const owner: HaConnectionOwner = {
    minOffset: 0,
    control,
    get endOffset() {
      return control.counters.wroteOffset.get();
    },
    onJoined() {},
    onReport() {},
    onSent: (length) => {
      bytes += length;
    },
    onEnd: ({ failure }, error) => {
      ends.push(error?.code);
      failures.push((failure as NodeJS.ErrnoException | undefined)?.code);
    },
  };
  const connection = new HaConnection(socket, config, log as unknown as LogBytes, owner);
  return { connection, control, config, sentBytes: () => bytes, ends, failures };
}
