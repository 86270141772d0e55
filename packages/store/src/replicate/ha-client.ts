import { connect, type Socket } from "node:net";
import { HA_REPORT_LENGTH, MillraceError, setInt64 } from "@millrace/format";
import { DirectSocket, isOutOfDescriptors, type Storage } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import type { MasterStats } from "@millrace/stats";
import { parsePeerAddress } from "../config/ha-options.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { DIRECT_TURN_MS, IDLE_MS, QUICK_MS } from "./direct-turn.js";
import { LogBytes } from "./log-bytes.js";
import { MasterSession } from "./master-session.js";
import { RecordMemory } from "./record-memory.js";
import type { RecordStream } from "./record-stream.js";
import type { SlaveLogEnds } from "./tail-check.js";
import { TransferReader } from "./transfer-reader.js";

const CONNECT_TIMEOUT_MS = 5000;
/** Before the next attempt: at first soon, then ever later. */
const RETRY_LEAST_MS = 100;
const RETRY_MOST_MS = 5000;
/** What is read at once. */
const CHUNK_LENGTH = 64 * 1024;

/** The log of a slave, as what comes is appended to it. */
export interface SlaveLog extends SlaveLogEnds {
  /** Appends the whole records of the stream. A promise where one of them has to wait; meanwhile the stream is not to be filled. */
  append(records: RecordStream): Promise<void> | undefined;
  /** For a moment nothing has come: who can wait has its turn. */
  onIdle(): void;
}

/**
 * The slave's side of replication: connects to the master, again and again, reports where its log ends, and hands on what comes. It runs on
 * the thread that writes the log. (RocketMQ: `HAClient`.)
 */
export class HaClient {
  readonly #config: MessageStoreConfig;
  readonly #log: SlaveLog;
  readonly #bytes: LogBytes;
  readonly #events: StoreEventSink;
  readonly #report = new Uint8Array(HA_REPORT_LENGTH);
  /** Where the socket reads to: an array and a turn of a stream for each chunk would cost a put of the master half of its time. */
  readonly #chunk = new Uint8Array(CHUNK_LENGTH);
  /** Its records are appended before the next connection begins. */
  readonly #memory = new RecordMemory();
  #reader = new TransferReader();
  #socket: Socket | undefined;
  #direct: DirectSocket | undefined;
  #session: MasterSession | undefined;
  #reported = 0;
  #readAtMs = 0;
  #wroteAtMs = 0;
  #retryMs = RETRY_LEAST_MS;
  #wakeRetry: (() => void) | undefined;
  /** The last failure, so that one that comes again and again is said once. */
  #failure: MillraceError | undefined;
  /** Why what has come on this connection was not appended. */
  #refusal: unknown;
  /** While records wait; never rejects. */
  #appending: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #isClosed = false;

  /** @param storage reads the log's own end */
  constructor(config: MessageStoreConfig, storage: Storage, log: SlaveLog, events: StoreEventSink) {
    this.#config = config;
    this.#log = log;
    this.#bytes = new LogBytes(storage, config);
    this.#events = events;
  }

  /** Goes on until {@link stop}; may be called again. @param fail hears of what is not the connection's fault */
  start(fail: (error: unknown) => void): void {
    this.#following ??= this.#run().catch(fail);
  }

  /** Ends the connection, and makes no other; may be called again. */
  stop(): void {
    this.#isClosed = true;
    this.#wakeRetry?.();
    this.#socket?.destroy();
  }

  get stats(): MasterStats {
    const session = this.#session;
    return {
      address: this.#config.haMasterAddress,
      state: session === undefined ? "connecting" : session.isCompared ? "following" : "comparing",
      receivedOffset: session?.receivedOffset ?? 0,
      reportedOffset: this.#reported,
      lastError: this.#failure?.message,
    };
  }

  /** What is due: a report, or the end of a connection on which nothing comes. */
  tick(nowMs: number): void {
    if (this.#session === undefined) return;
    if (nowMs - this.#wroteAtMs > this.#config.haSendHeartbeatInterval) this.#writeReport(this.#reported);
    const silentMs = nowMs - this.#readAtMs;
    if (silentMs <= this.#config.haHousekeepingInterval) return;
    if (this.#hasUnread()) return;
    const values = `address=${this.#config.haMasterAddress} silentMs=${Math.floor(silentMs)}`;
    this.#socket?.destroy(new MillraceError("ERR_HA_SILENT", `nothing came from the master: ${values}`));
  }

  /** What has come may not have been read: after a long turn timers come before sockets. While records wait that says nothing. */
  #hasUnread(): boolean {
    const direct = this.#direct;
    return direct !== undefined && this.#appending === undefined && DirectSocket.firstReadable([direct], 0) >= 0;
  }

  /** Acknowledges what can be by now. */
  acknowledge(): void {
    const session = this.#session;
    if (session?.isCompared !== true) return;
    const { acknowledgedOffset } = this.#log;
    if (acknowledgedOffset > this.#reported) this.#writeReport(acknowledgedOffset);
  }

  async close(): Promise<void> {
    this.stop();
    await this.#following;
    this.#bytes.close();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#follow();
      } catch (error) {
        this.#failed(error);
      }
      this.#socket?.destroy();
      this.#socket = undefined;
      this.#session = undefined;
      if (!this.#isClosed) await this.#pause();
    }
  }

  /** One connection, from its beginning to its end. */
  async #follow(): Promise<void> {
    const socket = await this.#connect();
    const session = new MasterSession(this.#bytes, this.#log, this.#config.mappedFileSizeCommitLog, this.#memory);
    this.#reader = new TransferReader();
    this.#refusal = undefined;
    this.#session = session;
    this.#readAtMs = monotonicMs();
    this.#writeReport(session.start);
    this.acknowledge();
    const cause = await endOf(socket);
    await this.#appending; // the log has one writer: the next connection begins where these end, and nothing is closed under them
    if (this.#refusal !== undefined) throw this.#refusal;
    if (cause !== undefined) throw cause instanceof MillraceError ? cause : unreachable(this.#config.haMasterAddress, cause);
  }

  /**
   * The next bytes are in #chunk, and those that follow soon are read here too: whoever has put them waits. False: no more are read until
   * these have been appended.
   */
  #onRead(socket: Socket, direct: DirectSocket, length: number): boolean {
    const endMs = monotonicMs() + DIRECT_TURN_MS;
    const following = [direct];
    let count = length;
    do {
      if (!this.#onBytes(socket, count)) return false;
      const isDone = this.#reported === this.#log.endOffset && monotonicMs() < endMs;
      if (!isDone || !this.#hasMore(following)) break;
      count = direct.read(this.#chunk);
    } while (count > 0);
    this.#log.onIdle();
    return true;
  }

  #hasMore(sockets: readonly DirectSocket[]): boolean {
    if (DirectSocket.firstReadable(sockets, IDLE_MS) >= 0) return true;
    this.#log.onIdle();
    return DirectSocket.firstReadable(sockets, QUICK_MS - IDLE_MS) >= 0;
  }

  #onBytes(socket: Socket, length: number): boolean {
    const refuse = (error: unknown): void => {
      this.#refusal = error;
      socket.destroy();
    };
    try {
      const appending = this.#take(this.#chunk.subarray(0, length));
      if (appending === undefined) return true;
      const appended = (): void => {
        this.#appended();
        socket.resume();
      };
      this.#appending = appending.then(appended, refuse).finally(() => {
        this.#appending = undefined;
      });
    } catch (error) {
      refuse(error);
    }
    return false;
  }

  #take(chunk: Uint8Array): Promise<void> | undefined {
    const session = this.#session;
    if (this.#isClosed || session === undefined) return undefined;
    this.#readAtMs = monotonicMs();
    this.#reader.push(chunk, session);
    const appending = this.#log.append(session.records);
    if (appending === undefined) this.#appended();
    return appending;
  }

  #appended(): void {
    this.acknowledge();
    if (this.#session?.hasGrown !== true) return;
    this.#retryMs = RETRY_LEAST_MS;
    this.#failure = undefined;
  }

  async #connect(): Promise<Socket> {
    const address = parsePeerAddress(this.#config.haMasterAddress);
    if (address === undefined) throw new MillraceError("ERR_OPTION_ILLEGAL", `haMasterAddress=${this.#config.haMasterAddress}`);
    const onread = { buffer: this.#chunk, callback: (length: number): boolean => this.#onRead(socket, direct, length) };
    const socket = connect({ ...address, noDelay: true, onread });
    const direct = new DirectSocket(socket);
    this.#socket = socket;
    this.#direct = direct;
    const late = setTimeout(() => socket.destroy(new Error("the connection did not come in time")), CONNECT_TIMEOUT_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve).once("error", reject).once("close", resolve);
      });
    } catch (cause) {
      throw unreachable(this.#config.haMasterAddress, cause);
    } finally {
      clearTimeout(late);
    }
    return socket;
  }

  #writeReport(offset: number): void {
    setInt64(new DataView(this.#report.buffer), 0, offset);
    this.#reported = offset;
    this.#wroteAtMs = monotonicMs();
    const sent = this.#direct?.write(this.#report) ?? 0;
    if (sent < HA_REPORT_LENGTH) this.#socket?.write(this.#report.slice(sent));
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#retryMs);
      this.#wakeRetry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MOST_MS);
  }

  /** A master that is not there is waited for; what it says and should not is reported, once for each kind. */
  #failed(error: unknown): void {
    const address = this.#config.haMasterAddress;
    if (isOutOfDescriptors(error)) return; // the end of the log could not be read: the next connection begins with it
    if (!(error instanceof MillraceError) || error.code === "ERR_FORCE_FAILED") throw error;
    const { code, message } = error;
    const isNew = code !== this.#failure?.code;
    this.#failure = error;
    if (!isNew || code === "ERR_HA_UNREACHABLE") return;
    if (code === "ERR_HA_DIVERGED") this.#events.emit("diverged", { service: "append", code, message, address });
    else this.#events.emit("error", { service: "append", code, message: `${message} haMasterAddress=${address}` });
  }
}

/** What the system says of a connection when it ends; undefined: nothing. */
async function endOf(socket: Socket): Promise<Error | undefined> {
  if (socket.destroyed) return undefined;
  return await new Promise((resolve) => socket.once("error", resolve).once("close", () => resolve(undefined)));
}

function unreachable(address: string, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError("ERR_HA_UNREACHABLE", `the master cannot be reached: haMasterAddress=${address} reason=${reason}`, {
    cause,
  });
}
