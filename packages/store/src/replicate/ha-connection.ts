import type { Socket } from "node:net";
import { HA_TRANSFER_HEADER_LENGTH, MillraceError, writeTransferHeader } from "@millrace/format";
import { DirectSocket } from "@millrace/mapped-file";
import { type ControlBlock, monotonicMs, type StuckFrame } from "@millrace/shared-memory";
import type { SlaveStats } from "@millrace/stats";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { QUICK_MS } from "./direct-turn.js";
import type { LogBytes } from "./log-bytes.js";
import { ReportReader } from "./report-reader.js";
import { type LaneWords, SlaveLane } from "./slave-lane.js";
import { SlaveReports } from "./slave-reports.js";

/** How long frames follow each other that the system takes at once, before the event loop has a turn. */
const SENDING_TURN_MS = 1;
/** Reports that are read at once are 8 bytes each. */
const RECEIVED_LENGTH = 1024;

/** What a connection asks of the service that it belongs to. */
export interface HaConnectionOwner {
  /** First byte of the log, and one past the last that slaves may have. */
  readonly minOffset: number;
  readonly endOffset: number;
  readonly control: LaneWords & { readonly counters: Pick<ControlBlock<"replicate">["counters"], "sendRequestedOffset"> };
  onJoined(connection: HaConnection): void;
  /** The slave's acknowledgement may have moved. */
  onReport(connection: HaConnection): void;
  onSent(bytes: number): void;
  /** Once. @param error why the master has ended it; undefined when the slave has */
  onEnd(connection: HaConnection, error: MillraceError | undefined): void;
}

/**
 * One slave, as its master serves it: reads reports, sends the log from where the first one asks for it. One frame at a time is in memory;
 * the next is read from the log when the socket has taken it. While the lane is open the appender sends instead. (RocketMQ:
 * `DefaultHAConnection`.)
 */
export class HaConnection {
  readonly address: string;
  /** {@link receive} takes what can be read of it. */
  readonly direct: DirectSocket;
  readonly #socket: Socket;
  readonly #config: MessageStoreConfig;
  readonly #log: LogBytes;
  readonly #owner: HaConnectionOwner;
  readonly #lane: SlaveLane;
  readonly #reader = new ReportReader();
  readonly #reports = new SlaveReports();
  readonly #frame: Uint8Array;
  readonly #view: DataView;
  readonly #received = new Uint8Array(RECEIVED_LENGTH);
  /** The next byte to send; while the lane is open {@link #sentOffset} is. */
  #next = 0;
  /** A frame is with the socket, or the next one waits for its turn. */
  #isSending = false;
  #turnEndMs = 0;
  #isEnded = false;
  /** It acknowledged all that it was sent within {@link QUICK_MS}, and is waited for without the event loop. */
  #isQuick = false;
  #failure: Error | undefined;
  #readAtMs = monotonicMs();
  #wroteAtMs = this.#readAtMs;
  #caughtUpAtMs = this.#readAtMs;
  #wasInSync = false;

  constructor(socket: Socket, config: MessageStoreConfig, log: LogBytes, owner: HaConnectionOwner) {
    this.address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.direct = new DirectSocket(socket);
    this.#socket = socket;
    this.#config = config;
    this.#log = log;
    this.#owner = owner;
    this.#lane = new SlaveLane(this.direct, owner.control);
    this.#frame = new Uint8Array(HA_TRANSFER_HEADER_LENGTH + config.haTransferBatchSize);
    this.#view = new DataView(this.#frame.buffer);
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.on("error", (error) => {
      this.#failure ??= error; // the close that follows ends it
    });
    socket.on("close", () => this.end(undefined));
  }

  /** What the system has said against the connection. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get hasJoined(): boolean {
    return this.#reports.start !== undefined;
  }

  /** End of its log, as it says; -1 before it says anything. @forTests */
  get reported(): number {
    return this.#reports.reported;
  }

  /** End of what the slave has acknowledged; -1 while nothing is to be believed. */
  get acknowledged(): number {
    return this.#reports.acknowledged;
  }

  /** Whether a put may wait for it. A slave that has reported once is not believed yet, but is there. */
  get isInSync(): boolean {
    return this.hasJoined && this.#owner.endOffset - this.#heldOffset < this.#config.haMaxGapNotInSync;
  }

  get behindBytes(): number {
    return Math.max(0, this.#owner.endOffset - this.#heldOffset);
  }

  /** True once, when it was in sync and is not any more. */
  fellBehind(): boolean {
    const was = this.#wasInSync;
    this.#wasInSync = this.isInSync;
    return was && !this.#wasInSync;
  }

  get stats(): SlaveStats {
    return {
      address: this.address,
      sentOffset: this.#sentOffset,
      ackOffset: this.acknowledged,
      behindBytes: this.behindBytes,
      behindMs: this.behindBytes === 0 ? 0 : Math.floor(monotonicMs() - this.#caughtUpAtMs),
      inSync: this.isInSync,
    };
  }

  /** Sends what there is, frame by frame; called again when the log has grown. */
  send(): void {
    if (this.#lane.isOpen) {
      if (!this.isAsked) return;
      this.closeLane();
    }
    if (this.#isSending || this.#isEnded || !this.hasJoined) return;
    const length = this.#read(this.#next, this.#owner.endOffset);
    if (length > 0) this.#write(length);
  }

  /** Into the frame, behind the header; as many bytes as there are. The connection ends if they cannot be read. */
  #read(offset: number, end: number): number {
    try {
      return this.#log.read(offset, end, this.#frame.subarray(HA_TRANSFER_HEADER_LENGTH));
    } catch (cause) {
      const values = `offset=${offset} minOffset=${this.#owner.minOffset} reason=${(cause as Error).message}`;
      const isGone = (cause as NodeJS.ErrnoException).code === "ENOENT";
      const code = isGone ? "ERR_HA_START" : "ERR_SEGMENT_UNREADABLE";
      this.end(new MillraceError(code, `what a slave needs next cannot be read: ${values}`, { cause }));
      return 0;
    }
  }

  /** While the lane is open: the appender has written what it could not send. */
  get isAsked(): boolean {
    const { sendRequestedOffset } = this.#owner.control.counters;
    return this.#lane.isStuck || sendRequestedOffset.get() > this.#lane.sentOffset;
  }

  /** The appender sends, and whoever follows hears the reports. */
  get isOnLane(): boolean {
    return this.#lane.isOpen;
  }

  /** Lets the appender send to a slave that is quick and was sent all there is, until this side has something to send. False: not now. */
  openLane(): boolean {
    this.#look();
    if (this.#lane.isOpen) return true;
    if (!this.#isQuick || this.#isSending || this.#isEnded || this.#next !== this.#owner.endOffset) return false;
    if (!this.#lane.open(this.#next)) return false;
    if (this.#owner.endOffset <= this.#lane.sentOffset) return true;
    this.closeLane(); // what was written before it was open is not sent on it
    return false;
  }

  /** From now on this side sends again. */
  closeLane(): void {
    if (!this.#lane.isOpen) return;
    this.#look();
    const stuck = this.#lane.close();
    this.#sentTo(this.#lane.sentOffset);
    if (stuck === undefined) return;
    if (stuck.errno < 0) this.#fail(DirectSocket.failureOf(stuck.errno));
    else if (!this.#isEnded) this.#finish(stuck);
  }

  /** What the appender was told, and perhaps nobody else; but who comes after the first is only told EPIPE. */
  #fail(error: NodeJS.ErrnoException): void {
    if (error.code !== "EPIPE") this.#failure = error;
    this.#failure ??= error;
    this.end(undefined);
  }

  /** Notes what the appender has sent. */
  #look(): void {
    if (this.#lane.isOpen) this.#sentTo(this.#lane.sentOffset);
  }

  #sentTo(offset: number): void {
    const length = offset - this.#next;
    if (length <= 0) return;
    this.#next = offset;
    this.#wroteAtMs = monotonicMs();
    this.#owner.onSent(length);
  }

  /** Sends what the socket did not take of the appender's last frame. */
  #finish({ bodyLength, unsent }: StuckFrame): void {
    if (unsent === 0) return this.end(undefined);
    const offset = this.#next - bodyLength;
    if (this.#read(offset, this.#next) < bodyLength) return this.end(undefined);
    const frame = this.#frameOf(offset, bodyLength);
    this.#isSending = true;
    this.#socket.write(frame.subarray(frame.length - unsent), this.#onWritten);
  }

  get #sentOffset(): number {
    return this.#lane.isOpen ? this.#lane.sentOffset : this.#next;
  }

  /** What is due: a sign of life, or the end of a connection that shows none. */
  tick(nowMs: number): void {
    if (this.behindBytes === 0) this.#caughtUpAtMs = nowMs;
    const silentMs = nowMs - this.#readAtMs;
    const { haHousekeepingInterval, haSendHeartbeatInterval } = this.#config;
    // What has come may not have been read: after a long turn timers come before sockets.
    if (silentMs > haHousekeepingInterval && !this.receive()) {
      const values = `address=${this.address} silentMs=${Math.floor(silentMs)}`;
      return this.end(new MillraceError("ERR_HA_SILENT", `nothing came from a slave: ${values}`));
    }
    this.#look();
    if (!this.hasJoined || nowMs - this.#wroteAtMs <= haSendHeartbeatInterval) return;
    this.closeLane();
    if (!this.#isSending && !this.#isEnded) this.#write(0);
  }

  /** Closes it; may be called again. */
  end(error: MillraceError | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.closeLane();
    this.#lane.end();
    this.#socket.destroy();
    this.#log.close();
    this.#owner.onEnd(this, error);
  }

  /** What it holds as far as it says; a start that it asks for again is not less than it has. */
  get #heldOffset(): number {
    return Math.max(this.#reports.reported, this.#reports.start ?? 0);
  }

  /** It owes a report that is to be expected soon. */
  get isDue(): boolean {
    return this.#isQuick && !this.#isSending && !this.#isEnded && this.#reports.reported < this.#sentOffset;
  }

  /** The report that is due has not come in time: it is left to the event loop, until one is quick again. */
  late(): void {
    this.#isQuick = false;
    this.closeLane();
  }

  /** Reads what has come. False: nothing, or the connection has ended. */
  receive(): boolean {
    const length = this.direct.read(this.#received);
    this.#onData(this.#received.subarray(0, length));
    return length > 0;
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isEnded || chunk.length === 0) return;
    this.#readAtMs = monotonicMs();
    try {
      this.#reader.push(chunk, (offset) => this.#onReport(offset));
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.end(error);
    }
  }

  #onReport(offset: number): void {
    const isFirst = !this.hasJoined;
    this.#look();
    const { minOffset, endOffset } = this.#owner;
    this.#reports.report(offset, minOffset, isFirst ? endOffset : this.#next);
    if (isFirst) {
      this.#next = this.#reports.start as number;
      this.#owner.onJoined(this);
      this.send();
      const hasSent = this.#isSending || this.#next > (this.#reports.start as number);
      if (!hasSent && !this.#isEnded) this.#write(0); // it learns that there is nothing
    }
    if (offset === this.#next && !this.#lane.isOpen) this.#isQuick = this.#readAtMs - this.#wroteAtMs < QUICK_MS;
    if (this.behindBytes === 0) this.#caughtUpAtMs = this.#readAtMs;
    this.#owner.onReport(this);
  }

  #write(length: number): void {
    const frame = this.#frameOf(this.#next, length);
    this.#next += length;
    this.#isSending = true;
    this.#wroteAtMs = monotonicMs();
    // A slave that is behind gets the next frames from the event loop, where others have their turn too.
    const sent = this.#next === this.#owner.endOffset ? this.direct.write(frame) : 0;
    if (sent === frame.length) this.#isSending = false;
    else this.#socket.write(frame.subarray(sent), this.#onWritten);
    if (length > 0) this.#owner.onSent(length);
  }

  /** With its header; the body is there. */
  #frameOf(offset: number, length: number): Uint8Array {
    writeTransferHeader(this.#view, 0, offset, length);
    return this.#frame.subarray(0, HA_TRANSFER_HEADER_LENGTH + length);
  }

  /** Of a frame that the system takes at once it comes from a microtask, so frame upon frame would leave nobody else a turn. */
  readonly #onWritten = (error?: Error | null): void => {
    if (error != null) return; // the socket closes
    if (monotonicMs() < this.#turnEndMs) this.#sendNext();
    else setImmediate(this.#onTurn);
  };

  readonly #onTurn = (): void => {
    this.#turnEndMs = monotonicMs() + SENDING_TURN_MS;
    this.#sendNext();
  };

  #sendNext(): void {
    this.#isSending = false;
    this.send();
  }
}
