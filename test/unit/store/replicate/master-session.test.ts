import { MillraceError } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { LogBytes } from "#store/replicate/log-bytes.js";
import { MasterSession } from "#store/replicate/master-session.js";
import { TransferReader } from "#store/replicate/transfer-reader.js";
import { HA_CAPTURE_SEGMENT_SIZE, HA_CAPTURES, type HaCaptureEvent, haCapture } from "../../../support/ha-capture.js";
import { chosenSeed, seededRandom } from "../../../support/random.js";

/** Of a slave that has nothing before `offset`, so nothing is compared. */
function emptySession(offset: number): MasterSession {
  const log = new LogBytes(createStorage({ kind: "real" }), resolveConfig({}));
  return new MasterSession(log, { minOffset: offset, endOffset: offset, acknowledgedOffset: offset }, HA_CAPTURE_SEGMENT_SIZE);
}

/** What a session makes of the bytes: the log as it would be written. */
function received(session: MasterSession, bytes: Uint8Array, splits: (at: number) => number): Buffer {
  const reader = new TransferReader();
  const log: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Math.max(1, splits(at));
    reader.push(bytes.subarray(at, at + length), session);
    for (; session.records.next(); session.records.take()) log.push(Buffer.from(session.records.found));
    at += length;
  }
  return Buffer.concat(log);
}

/** The frames of each connection, without the rest of it. */
function connections(events: readonly HaCaptureEvent[]): Extract<HaCaptureEvent, { kind: "transfer" }>[][] {
  const all: Extract<HaCaptureEvent, { kind: "transfer" }>[][] = [[]];
  for (const event of events) {
    if (event.kind === "cut") all.push([]);
    if (event.kind === "transfer") all.at(-1)?.push(event);
  }
  return all;
}

for (const name of HA_CAPTURES.filter((name) => name !== "5-divergence")) {
  test(`what RocketMQ's master has sent becomes the log that it sent, however it is split: ${name}`, (t) => {
    for (const frames of connections(haCapture(name))) {
      const bytes = Buffer.concat(frames.map((frame) => frame.bytes));
      const log = Buffer.concat(frames.map(({ body }) => body));
      const from = frames[0]?.offset ?? 0;
      for (let length = 1; length < 300; length++) {
        const session = emptySession(from);
        t.true(received(session, bytes, () => length).equals(log), `${length}`);
        t.is(session.records.offset, from + log.length);
      }
    }
  });
}

test("of a log that goes on inside another one's record nothing is taken", (t) => {
  const frames = haCapture("5-divergence").filter((event) => event.kind === "transfer");
  const bytes = Buffer.concat(frames.map((frame) => frame.bytes));
  const session = emptySession(363);
  t.throws(() => received(session, bytes, () => 100), { instanceOf: MillraceError, code: "ERR_HA_PROTOCOL" });
  t.is(session.records.offset, 363);
});

/** Bytes of a record of RocketMQ's that a reader can check: size, magic, body CRC, physical offset, length of the body, body. */
const CHECKED: readonly (readonly [from: number, to: number])[] = [
  [0, 12],
  [28, 36],
  [84, 95],
];

test("one wrong bit in what of a record can be checked, and it is not taken", (t) => {
  const frame = haCapture("5-one-by-one").find((event) => event.kind === "transfer");
  if (frame?.kind !== "transfer") throw new Error("no frame");
  for (const [from, to] of CHECKED) {
    for (let bit = 8 * from; bit < 8 * to; bit++) {
      const bytes = Buffer.from(frame.bytes);
      bytes[12 + (bit >> 3)] = (bytes[12 + (bit >> 3)] as number) ^ (1 << (bit & 7));
      const session = emptySession(0);
      try {
        t.is(received(session, bytes, () => 50).length, 0, `${bit}`);
      } catch (error) {
        t.true(error instanceof MillraceError && error.code === "ERR_HA_PROTOCOL");
      }
    }
  }
});

const header = (offset: bigint, length: number): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64BE(offset);
  bytes.writeInt32BE(length, 8);
  return bytes;
};

const REFUSED: readonly [string, Buffer, "ERR_HA_PROTOCOL" | "ERR_HA_START"][] = [
  ["a negative length", header(0n, -1), "ERR_HA_PROTOCOL"],
  ["a length that RocketMQ cannot take", header(0n, 4 * 1024 * 1024), "ERR_HA_PROTOCOL"],
  ["a negative offset", header(-1n, 10), "ERR_HA_PROTOCOL"],
  ["an offset that is not exact", header(2n ** 60n, 10), "ERR_HA_PROTOCOL"],
  ["a log that begins elsewhere", header(4096n, 10), "ERR_HA_START"],
  ["a sign of life from elsewhere", header(1024n, 0), "ERR_HA_START"],
  ["a frame after a gap", Buffer.concat([header(0n, 1), Buffer.alloc(1), header(2n, 1)]), "ERR_HA_PROTOCOL"],
  ["zeros", Buffer.concat([header(0n, 100), Buffer.alloc(100)]), "ERR_HA_PROTOCOL"],
  ["rubbish", Buffer.concat([header(0n, 100), Buffer.alloc(100, 0x41)]), "ERR_HA_PROTOCOL"],
];

for (const [what, bytes, code] of REFUSED) {
  test(`${what} is refused, as soon as it can be told`, (t) => {
    for (const length of [1, 7, bytes.length]) {
      const session = emptySession(0);
      t.throws(() => received(session, bytes, () => length), { instanceOf: MillraceError, code });
      t.is(session.records.offset, 0);
    }
  });
}

test("a thousand random frames end in a code each, and in bounded memory", (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  for (let n = 0; n < 1000; n++) {
    const bytes = Buffer.from(Array.from({ length: 12 + random(400) }, () => random(256)));
    if (random(2) === 0) bytes.fill(0, 0, 10); // a header that may be right
    if (random(3) === 0) Buffer.from("0000007adaa320a7", "hex").copy(bytes, 12); // and a record that begins well
    try {
      const session = emptySession(0);
      received(session, bytes, () => 1 + random(50));
      t.is(session.records.offset, 0);
    } catch (error) {
      t.true(error instanceof MillraceError, String(error));
    }
  }
});

test("a slave asks for no more than what it may acknowledge, and for all that it has not", (t) => {
  const log = { read: () => 0, close: () => {} } as unknown as LogBytes;
  const startOf = (minOffset: number, endOffset: number, acknowledgedOffset: number): number =>
    new MasterSession(log, { minOffset, endOffset, acknowledgedOffset }, 2 ** 20).start;
  t.is(startOf(0, 200_000, 200_000), 200_000 - 65_536);
  t.is(startOf(0, 200_000, 10_000), 10_000, "the rest is written, and not durable");
  t.is(startOf(0, 200_000, 0), 1, "0 would be a slave that has nothing");
  t.is(startOf(5000, 200_000, 0), 5000);
  t.is(startOf(0, 0, 0), 0);
});

test("a slave whose own file ends before its log says so", (t) => {
  let reads = 0;
  const read = (): number => {
    if (++reads > 100) throw new Error("it is read for ever");
    return 0;
  };
  const log = { read, close: () => {} } as unknown as LogBytes;
  const session = new MasterSession(log, { minOffset: 0, endOffset: 100, acknowledgedOffset: 100 }, 2 ** 20);
  t.throws(() => session.onBody(new Uint8Array(10)), { instanceOf: MillraceError, code: "ERR_SEGMENT_SIZE" });
});
