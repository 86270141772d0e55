import { mkdirSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { type MillraceError, segmentFileName } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { ControlBlock } from "#shared-memory/control-block.js";
import { monotonicMs } from "#shared-memory/monotonic-clock.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { HaConnection, type HaConnectionOwner } from "#store/replicate/ha-connection.js";
import { LogBytes } from "#store/replicate/log-bytes.js";
import { HA_CAPTURE_SEGMENT_SIZE, HA_CAPTURES, type HaCaptureEvent, haCapture } from "../../../support/ha-capture.js";
import { reportBytes } from "../../../support/raw-slave.js";
import { socketPair } from "../../../support/socket-pair.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { until } from "../../../support/until.js";

const HEARTBEAT_MS = 1_000_000;

/** A log of what a capture has sent, byte for byte. */
function logOf(t: ExecutionContext, events: readonly HaCaptureEvent[]): string {
  const directory = join(temporaryDirectory(t), "commitlog");
  mkdirSync(directory, { recursive: true });
  const segments = new Map<number, Buffer>();
  for (const event of events) {
    if (event.kind !== "transfer" || event.body.length === 0) continue;
    const position = event.offset % HA_CAPTURE_SEGMENT_SIZE;
    const from = event.offset - position;
    const segment = segments.get(from) ?? Buffer.alloc(HA_CAPTURE_SEGMENT_SIZE);
    segments.set(from, segment);
    event.body.copy(segment, position);
  }
  for (const [from, bytes] of segments) writeFileSync(join(directory, segmentFileName(from)), bytes);
  return directory;
}

for (const name of HA_CAPTURES) {
  test(`a slave of RocketMQ's is sent what RocketMQ's master sends it: ${name}`, async (t) => {
    const events = haCapture(name);
    const transfers = events.filter((event) => event.kind === "transfer");
    const storePathCommitLog = logOf(t, events);
    const config = {
      ...resolveConfig({
        haSendHeartbeatInterval: HEARTBEAT_MS,
        haHousekeepingInterval: 10 * HEARTBEAT_MS,
        haTransferBatchSize: name.endsWith("roll") ? 256 : 32_768,
      }),
      storePathCommitLog,
      mappedFileSizeCommitLog: HA_CAPTURE_SEGMENT_SIZE,
    };
    const first = transfers.find(({ body }) => body.length > 0)?.offset ?? 0;
    const owner = {
      minOffset: first - (first % HA_CAPTURE_SEGMENT_SIZE),
      endOffset: 0,
      control: ControlBlock.attach(ControlBlock.create({}), "replicate"),
      onJoined: () => {},
      onReport: () => {},
      onSent: () => {},
      onEnd: () => {},
    };
    // What was put before the slave came is in the first frame that it gets.
    const firstFrame = transfers.find(({ body }) => body.length > 0);
    owner.endOffset = first + (firstFrame?.body.length ?? 0);
    let [master, slave] = await socketPair(t);
    let connection = new HaConnection(master, config, new LogBytes(createStorage({ kind: "real" }), config), owner);
    let received = Buffer.alloc(0);
    const listen = (): void => {
      slave.on("data", (chunk) => {
        received = Buffer.concat([received, chunk]);
      });
    };
    listen();
    let reported = 0;
    for (const event of events) {
      if (event.kind === "put") owner.endOffset = Math.max(owner.endOffset, event.end);
      if (event.kind === "cut") {
        t.is(received.length, 0, "nothing but what RocketMQ has sent");
        slave.destroy();
        [master, slave] = await socketPair(t);
        connection = new HaConnection(master, config, new LogBytes(createStorage({ kind: "real" }), config), owner);
        listen();
        reported = 0;
      }
      if (event.kind === "report") {
        for (const byte of event.bytes) slave.write(Uint8Array.of(byte));
        await until(() => connection.hasJoined && connection.reported === event.offset);
        reported++;
      }
      if (event.kind !== "transfer") continue;
      if (event.body.length === 0) {
        // RocketMQ's sign of life may come before the data; ours is at the next byte.
        if (event.offset === connection.stats.sentOffset) connection.tick(monotonicMs() + HEARTBEAT_MS + 1);
        else continue;
      } else connection.send();
      await until(() => received.length >= event.bytes.length);
      t.deepEqual(received.subarray(0, event.bytes.length), event.bytes, `transfer ${event.offset}`);
      received = received.subarray(event.bytes.length);
    }
    t.true(reported > 0);
    t.is(received.length, 0, "nothing but what RocketMQ has sent");
    connection.end(undefined);
  });
}

const FRAMES = 2000;
const FRAME_LENGTH = 32_768;
const READ_MS = 0.1;
/** One turn for so many frames at least; what a connection may send in one goes into ten reads, and fewer on a busy machine. */
const FRAMES_A_TURN = 50;

/** Takes each frame at once, as a system does whose buffers another core empties. */
class GreedySocket extends Duplex {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  taken = 0;

  setNoDelay(): void {}

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken += chunk.length;
    done();
  }
}

function ownerOf(endOffset: number): HaConnectionOwner & { readonly ends: (MillraceError | undefined)[] } {
  const ends: (MillraceError | undefined)[] = [];
  const control = ControlBlock.attach(ControlBlock.create({}), "replicate");
  const onEnd = (_: HaConnection, error: MillraceError | undefined): void => void ends.push(error);
  return { minOffset: 0, endOffset, control, onJoined() {}, onReport() {}, onSent() {}, onEnd, ends };
}

/** A log that is read slowly, and holds nothing. */
const SLOW_LOG = {
  read(offset: number, end: number, target: Uint8Array): number {
    const readMs = monotonicMs() + READ_MS;
    while (monotonicMs() < readMs);
    return Math.min(target.length, end - offset);
  },
  close() {},
} as unknown as LogBytes;

test.serial("while a slave is sent what it lacks the event loop has its turns", async (t) => {
  const socket = new GreedySocket();
  const config = resolveConfig({ haTransferBatchSize: FRAME_LENGTH });
  const connection = new HaConnection(socket as unknown as Socket, config, SLOW_LOG, ownerOf(FRAMES * FRAME_LENGTH));
  socket.push(reportBytes(0));
  let turns = 0;
  for (; socket.taken < FRAMES * FRAME_LENGTH; turns++) await setImmediate();
  t.true(turns > FRAMES / FRAMES_A_TURN, `turns=${turns}`);
  connection.end(undefined);
});

test.serial("a slave whose report has come and was not read yet is not silent", async (t) => {
  const [master, slave] = await socketPair(t);
  const config = resolveConfig({});
  const owner = ownerOf(0);
  const connection = new HaConnection(master, config, SLOW_LOG, owner);
  slave.write(reportBytes(0));
  // In the same turn of the event loop, as after a long one: timers come before sockets.
  connection.tick(monotonicMs() + config.haHousekeepingInterval + 1);
  t.deepEqual(owner.ends, []);
  t.true(connection.hasJoined);
  connection.tick(Number.MAX_SAFE_INTEGER);
  t.deepEqual(
    owner.ends.map((error) => error?.code),
    ["ERR_HA_SILENT"],
  );
});

for (const [systemCode, code] of [
  ["ENOENT", "ERR_HA_START"],
  ["EMFILE", "ERR_SEGMENT_UNREADABLE"],
  ["EIO", "ERR_SEGMENT_UNREADABLE"],
] as const) {
  test(`a slave's connection ends when the log cannot be read for it, with what helps: ${systemCode} is ${code}`, async (t) => {
    const socket = new GreedySocket();
    const read = (): never => {
      throw Object.assign(new Error(systemCode), { code: systemCode });
    };
    const owner = ownerOf(100);
    new HaConnection(socket as unknown as Socket, resolveConfig({}), { read, close() {} } as unknown as LogBytes, owner);
    socket.push(reportBytes(0));
    await until(() => owner.ends.length > 0);
    t.is(owner.ends[0]?.code, code);
  });
}
