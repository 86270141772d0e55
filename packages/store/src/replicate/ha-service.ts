import { createServer, type Server, type Socket } from "node:net";
import { MillraceError } from "@millrace/format";
import { createStorage, DirectSocket, type Storage } from "@millrace/mapped-file";
import { ControlBlock, type EventAgent, monotonicMs, type ReadableCounter } from "@millrace/shared-memory";
import type { HaStats } from "@millrace/stats";
import { peerFilter } from "../config/ha-options.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { slavesNeeded } from "../config/replicas-needed.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import type { StoreEventSink } from "../tell/store-event.js";
import { DIRECT_TURN_MS, QUICK_MS } from "./direct-turn.js";
import { HaConnection, type HaConnectionOwner } from "./ha-connection.js";
import { LogBytes } from "./log-bytes.js";

const STATS_INTERVAL_MS = 1000;
/** Connections at a time; one more is refused. Each has a frame in memory. */
const CONNECTIONS_LIMIT = 64;
/** How long it listens at a time, the least that the system waits. */
const LOOK_MS = 1;
/** Bytes of a frame; a group of shorter ones would keep the appender from the next group for long. */
const LANE_BATCH_LEAST = 4096;

/**
 * The master's side of replication: accepts slaves, sends each the log from where it asks for it, woken by the appender unless that sends
 * itself, and says how much of it enough of them have. (RocketMQ: `HAService`, `GroupTransferService`.)
 *
 * Invariant: `replicatedOffset` is never beyond what as many slaves have acknowledged as a put needed at that moment.
 */
export class HaService implements EventAgent, HaConnectionOwner {
  readonly control: ControlBlock<"replicate">;
  readonly #counters: ControlBlock<"replicate">["counters"];
  readonly #config: MessageStoreConfig;
  readonly #storage: Storage;
  readonly #events: StoreEventSink;
  readonly #onStats: (stats: HaStats) => void;
  readonly #isPeer: (address: string) => boolean;
  readonly #server: Server;
  /** One past the last byte that slaves may have: what has been written, in the file with a transient store pool. */
  readonly #logEnd: ReadableCounter;
  /** Moves soon after #logEnd, and is slept on; whoever sleeps is woken when there is more to send. */
  readonly #requested: ReadableCounter;
  readonly #connections = new Set<HaConnection>();
  #waits = false;
  #isFollowing = false;
  #statsAtMs = 0;
  #port = 0;
  #isClosed = false;

  constructor(data: PipelineData, events: StoreEventSink, onStats: (stats: HaStats) => void) {
    const { config } = data;
    this.control = ControlBlock.attach(data.control, "replicate");
    this.#counters = this.control.counters;
    this.#config = config;
    this.#logEnd = config.transientStorePoolEnable ? this.#counters.committedOffset : this.#counters.wroteOffset;
    this.#requested = config.transientStorePoolEnable ? this.#logEnd : this.#counters.sendRequestedOffset;
    this.#storage = createStorage(data.storage);
    this.#events = events;
    this.#onStats = onStats;
    this.#isPeer = peerFilter(config.haPeers);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get endOffset(): number {
    return this.#logEnd.get();
  }

  get minOffset(): number {
    return this.#counters.minOffset.get();
  }

  async onStart(): Promise<void> {
    const { haListenAddress: host, haListenPort: port } = this.#config;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause) => {
        const message = `slaves cannot be accepted: haListenAddress=${host} haListenPort=${port} reason=${cause.message}`;
        reject(new MillraceError("ERR_HA_LISTEN", message, { cause }));
      });
      this.#server.listen({ host, port }, resolve);
    });
    this.#server.removeAllListeners("error").on("error", this.#onAcceptFailed);
    const address = this.#server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : port;
    this.#tellStats();
  }

  onTick(): void {
    const nowMs = monotonicMs();
    for (const connection of this.#connections) {
      connection.tick(nowMs);
      if (connection.fellBehind()) {
        this.#events.emit("behind", {
          service: "replicate",
          address: connection.address,
          behindBytes: connection.behindBytes,
        });
      }
    }
    this.#count();
    if (nowMs - this.#statsAtMs >= STATS_INTERVAL_MS) this.#tellStats();
  }

  async onClose(): Promise<void> {
    this.#isClosed = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of [...this.#connections]) connection.end(undefined);
    this.#counters.inSyncSlaves.set(0);
    await closed;
  }

  onJoined(connection: HaConnection): void {
    const { address, stats } = connection;
    this.#count(); // who sees it in the stats may put, and is to be waited for
    for (const other of this.#connections) if (other !== connection) other.closeLane(); // the appender sends to no two
    this.#events.emit("slaveJoined", { service: "replicate", address, fromOffset: stats.sentOffset });
    this.#tellStats();
    this.#awaitLog();
  }

  onReport(connection: HaConnection): void {
    this.#count();
    // Nothing wakes this thread for what the appender sends; the next puts find it listening.
    if (connection.isOnLane && !this.#isFollowing) this.#requested.nudge();
  }

  onSent(bytes: number): void {
    this.#counters.replicateBytes.add(bytes);
  }

  onEnd(connection: HaConnection, error: MillraceError | undefined): void {
    this.#connections.delete(connection);
    this.#count();
    const { address } = connection;
    if (error !== undefined) this.#refused(error, address);
    if (connection.hasJoined) {
      const closed = this.#isClosed ? "the store was closed" : "the connection was closed";
      const reason = (error ?? connection.failure)?.message ?? closed;
      this.#events.emit("slaveLeft", { service: "replicate", address, reason });
    }
    this.#tellStats();
  }

  /** What the system says of one that wants to connect, a network that is down, say, ends nothing else. */
  readonly #onAcceptFailed = ({ message: reason }: Error): void => {
    const { haListenAddress: address, haListenPort } = this.#config;
    const message = `a slave could not be accepted: haListenAddress=${address} haListenPort=${haListenPort} reason=${reason}`;
    this.#refused(new MillraceError("ERR_HA_LISTEN", message), address);
  };

  #accept(socket: Socket): void {
    const address = socket.remoteAddress;
    if (address === undefined) return void socket.destroy(); // it has gone again, as whoever looks for open ports does
    if (!this.#isPeer(address)) {
      this.#refused(new MillraceError("ERR_HA_PEER", `not one of haPeers: address=${address}`), address);
      socket.destroy();
      return;
    }
    if (this.#connections.size >= CONNECTIONS_LIMIT) this.#endStranger();
    if (this.#isClosed || this.#connections.size >= CONNECTIONS_LIMIT) {
      socket.destroy();
      return;
    }
    this.#connections.add(new HaConnection(socket, this.#config, new LogBytes(this.#storage, this.#config), this));
  }

  /** Makes room: who has said nothing yet must not keep a slave out. The first of them has had the longest time. */
  #endStranger(): void {
    for (const connection of this.#connections) {
      if (connection.hasJoined) continue;
      const message = `others want to connect, and nothing has come: limit=${CONNECTIONS_LIMIT} address=${connection.address}`;
      connection.end(new MillraceError("ERR_HA_SILENT", message));
      return;
    }
  }

  #refused({ code, message }: MillraceError, address: string): void {
    this.#counters.replicateRefused.add(1);
    const text = message.includes("address=") ? message : `${message} address=${address}`;
    if (code === "ERR_HA_DIVERGED") this.#events.emit("diverged", { service: "replicate", code, message: text, address });
    else this.#events.emit("error", { service: "replicate", code, message: text });
  }

  /** Sends when the appender says that there is more; sleeps only while somebody is connected: a store without slaves pays nothing. */
  #awaitLog(): void {
    if (this.#waits || this.#connections.size === 0 || this.#isClosed) return;
    this.#waits = true;
    const woken = this.#requested.waitAsync(this.#requested.get());
    for (const connection of this.#connections) connection.send();
    if (woken === undefined) setImmediate(this.#onLog);
    else woken.then(this.#onLog);
  }

  readonly #onLog = (): void => {
    this.#isFollowing = true;
    const goesOn = this.#config.brokerRole === "SYNC_MASTER" && this.#follow();
    this.#isFollowing = false;
    this.#waits = goesOn;
    if (goesOn) setImmediate(this.#onLog);
    else this.#awaitLog();
  };

  /**
   * Where puts wait for slaves: sends, hears what is acknowledged, and sleeps until there is more, without a turn of the event loop
   * between, each of which costs a put some thirty microseconds. False: nothing has come for a while, so the event loop is to wait for it.
   */
  #follow(): boolean {
    const { replicatedOffset } = this.#counters;
    const endMs = monotonicMs() + DIRECT_TURN_MS;
    while (this.#connections.size > 0 && !this.#isClosed) {
      const requested = this.#requested.get();
      const end = this.#logEnd.get();
      for (const connection of this.#connections) connection.send();
      if (this.#opensLane() || replicatedOffset.value < end) {
        if (!this.#hear()) return false;
      } else if (this.#logEnd.get() === end) {
        this.#requested.wait(requested, QUICK_MS);
        if (this.#requested.get() === requested) return false;
      }
      if (monotonicMs() > endMs) return true;
    }
    return false;
  }

  /** The appender may send to the one slave there is. Frames of a few bytes are too many for it. */
  #opensLane(): boolean {
    const { transientStorePoolEnable, haTransferBatchSize } = this.#config;
    if (transientStorePoolEnable || haTransferBatchSize < LANE_BATCH_LEAST) return false;
    const [slave, another] = [...this.#connections].filter(({ hasJoined }) => hasJoined);
    return another === undefined && slave?.openLane() === true;
  }

  /**
   * Waits for a report that is due, or will be when the appender has sent something, and looks now and then whether it could not: nobody
   * wakes who listens. False: no report is due, or none came.
   */
  #hear(): boolean {
    const connections = [...this.#connections];
    const due = connections.filter(({ isDue }) => isDue);
    const listened = connections.filter(({ isDue, isOnLane }) => isDue || isOnLane);
    const sockets = listened.map(({ direct }) => direct);
    for (let waitedMs = 0; waitedMs < QUICK_MS; waitedMs += LOOK_MS) {
      const first = DirectSocket.firstReadable(sockets, LOOK_MS);
      if (first >= 0) return listened[first]?.receive() ?? false;
      if (listened.some(({ isOnLane, isAsked }) => isOnLane && isAsked)) return true;
    }
    for (const connection of due) connection.late();
    return false;
  }

  /** After any change: who is in sync, and what enough of them have. */
  #count(): void {
    const { inSyncSlaves, connectedSlaves, replicatedOffset } = this.#counters;
    let [joined, inSync] = [0, 0];
    for (const connection of this.#connections) {
      if (connection.hasJoined) joined++;
      if (connection.isInSync) inSync++;
    }
    if (inSync !== inSyncSlaves.value) inSyncSlaves.set(inSync);
    if (joined !== connectedSlaves.value) connectedSlaves.set(joined);
    const needed = slavesNeeded(this.#config, inSync);
    if (needed === 0) return; // nobody waits
    const acknowledged = this.#acknowledgedBy(needed);
    if (acknowledged > replicatedOffset.value) replicatedOffset.publish(acknowledged);
  }

  /** End of what so many slaves have acknowledged; -1: there are fewer. */
  #acknowledgedBy(slaves: number): number {
    const acknowledged: number[] = [];
    for (const connection of this.#connections) acknowledged.push(connection.acknowledged);
    return acknowledged.sort((a, b) => b - a)[slaves - 1] ?? -1;
  }

  #tellStats(): void {
    this.#statsAtMs = monotonicMs();
    this.#onStats({
      role: this.#config.brokerRole,
      listen: { address: this.#config.haListenAddress, port: this.#port },
      slaves: [...this.#connections].filter(({ hasJoined }) => hasJoined).map(({ stats }) => stats),
      inSyncSlaves: this.#counters.inSyncSlaves.value,
      replicatedOffset: this.#counters.replicatedOffset.value,
      master: undefined,
    });
  }
}
