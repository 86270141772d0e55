import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { MessageStore } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { until } from "./until.js";

/** The port on which a store accepts slaves. */
export function haPort(store: MessageStore): number {
  return store.stats().ha?.listen?.port ?? 0;
}

export function reportBytes(offset: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(offset));
  return bytes;
}

/** A slave that is nothing but a socket: takes transfers, and reports what a test tells it to. */
export class RawSlave {
  readonly socket: Socket;
  /** The bytes of the log, from the first transfer on. */
  log = Buffer.alloc(0);
  fromOffset = -1;
  signsOfLife = 0;
  /** Lengths of the bodies that have come. */
  readonly frames: number[] = [];
  isClosed = false;
  /** Reports the end of each transfer. */
  acknowledges = true;
  #pending = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  static async connect(t: ExecutionContext, port: number): Promise<RawSlave> {
    const socket = connect(port, "127.0.0.1");
    t.teardown(() => socket.destroy());
    const slave = new RawSlave(socket);
    await once(socket, "connect");
    return slave;
  }

  /** Of a socket that is connected. */
  static on(socket: Socket): RawSlave {
    return new RawSlave(socket);
  }

  get end(): number {
    return this.fromOffset + this.log.length;
  }

  report(offset: number): void {
    this.socket.write(reportBytes(offset));
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed);
  }

  #take(chunk: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 12) {
      const length = this.#pending.readInt32BE(8);
      if (this.#pending.length < 12 + length) return;
      if (this.fromOffset < 0) this.fromOffset = Number(this.#pending.readBigInt64BE(0));
      this.log = Buffer.concat([this.log, this.#pending.subarray(12, 12 + length)]);
      this.#pending = this.#pending.subarray(12 + length);
      if (length > 0) this.frames.push(length);
      if (length === 0) this.signsOfLife++;
      else if (this.acknowledges) this.report(this.end);
    }
  }
}
