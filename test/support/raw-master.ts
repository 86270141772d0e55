import { createServer, type Socket } from "node:net";
import { HA_BODY_SIZE_OFFSET, HA_REPORT_LENGTH, HA_TRANSFER_HEADER_LENGTH } from "@millrace/format";
import type { ExecutionContext } from "ava";

/** The head of a transfer, however impossible. */
export function transferHeader(offset: number | bigint, length: number): Buffer {
  const header = Buffer.alloc(HA_TRANSFER_HEADER_LENGTH);
  header.writeBigInt64BE(BigInt(offset));
  header.writeInt32BE(length, HA_BODY_SIZE_OFFSET);
  return header;
}

export function transfer(offset: number, body: Uint8Array): Buffer {
  return Buffer.concat([transferHeader(offset, body.length), body]);
}

/** A connection of a slave, as its master sees it. */
export interface RawMasterPeer {
  readonly socket: Socket;
  /** The slave's first report. */
  readonly start: number;
  readonly isClosed: boolean;
}

/** A master that is nothing but a socket, and does to each slave that reports what a test tells it to. */
export class RawMaster {
  /** All that was reported on all connections. */
  readonly reports: number[] = [];
  connections = 0;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  readonly #onSlave: (peer: RawMasterPeer) => void;

  private constructor(onSlave: (peer: RawMasterPeer) => void) {
    this.#onSlave = onSlave;
  }

  static async listen(t: ExecutionContext, onSlave: (peer: RawMasterPeer) => void): Promise<RawMaster> {
    const master = new RawMaster(onSlave);
    await new Promise<void>((resolve) => master.#server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => master.close());
    return master;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    let bytes = Buffer.alloc(0);
    let isFirst = true;
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (; bytes.length >= HA_REPORT_LENGTH; bytes = bytes.subarray(HA_REPORT_LENGTH)) {
        const start = Number(bytes.readBigInt64BE(0));
        this.reports.push(start);
        if (!isFirst) continue;
        isFirst = false;
        this.connections++;
        this.#onSlave({
          socket,
          start,
          get isClosed() {
            return socket.destroyed;
          },
        });
      }
    });
  }
}
