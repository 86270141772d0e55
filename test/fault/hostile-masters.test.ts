import type { Socket } from "node:net";
import { BLANK_RECORD_LENGTH, HA_BODY_LIMIT, MillraceError, TOTAL_SIZE_OFFSET, writeBlankRecord } from "@millrace/format";
import type { MessageStore } from "@millrace/store";
import test from "ava";
import type { LogBytes } from "#store/replicate/log-bytes.js";
import { MasterSession } from "#store/replicate/master-session.js";
import { TransferReader } from "#store/replicate/transfer-reader.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { RawMaster, type RawMasterPeer, transfer, transferHeader } from "../support/raw-master.js";
import { follows, logBytes, openSlave } from "../support/replica-pair.js";
import { numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const CONNECTIONS = Number(process.env.MILLRACE_STRANGERS ?? 60);
const FIRST_FRAMES = 1000;
const MESSAGES = 400;
const MEMORY_MOST = 96 * 2 ** 20;
/** On which nothing comes is given up after it. */
const SILENCE_MS = 500;
const HOSTILE_SIZES = [0, -1, 2 ** 31 - 1, SEGMENT_SIZE + 1, 90];

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

/** The record with another byte, or another 32-bit word, at a place. */
function changed(record: Buffer, position: number, value: number | undefined): Buffer {
  const copy = Buffer.from(record);
  if (value === undefined) copy[position] = (copy[position] ?? 0) ^ 0x55;
  else copy.writeInt32BE(value | 0, position);
  return copy;
}

/** What comes where the next frame should be. `at`: its place, `record`: the record that belongs there. */
type Hostility = (random: Random, at: number, record: Buffer) => Buffer;

const HOSTILITIES: readonly Hostility[] = [
  (random) => randomBytes(random, 1 + random(4000)),
  (random, at) => transferHeader(at, -1 - random(2 ** 31)),
  (random, at) => transferHeader(at, HA_BODY_LIMIT + 1 + random(2 ** 20)),
  (random, _at, record) => Buffer.concat([transferHeader(-1n - BigInt(random(1000)), record.length), record]),
  (_random, _at, record) => Buffer.concat([transferHeader(2n ** 62n, record.length), record]),
  (random, at, record) => transfer(at + 1 + random(2 ** 20), record),
  (random, at, record) => transfer(at === 0 ? record.length : random(at), record),
  (random, at, record) => transfer(at, changed(record, record.length - 1 - random(60), undefined)),
  (_random, at, record) => transfer(at, changed(record, record.length >> 1, undefined)),
  (_random, at, record) => transfer(at, changed(record, 11, undefined)), // the CRC itself
  (random, at, record) => transfer(at, changed(record, TOTAL_SIZE_OFFSET, HOSTILE_SIZES[random(HOSTILE_SIZES.length)])),
  (_random, at, record) => transfer(at, changed(record, 4, 0x41414141)),
  (_random, at, record) => transfer(at, changed(record, 4, 0xcbd43194)), // a blank record that ends elsewhere
  (_random, at, record) => transfer(at, changed(record, 28, at + 1)), // written for another place
  (random, at) => transfer(at, alien(at, "../../../tmp/x")).subarray(0, random(2) === 0 ? undefined : 9000),
  (_random, at, record) => transfer(at, Buffer.concat([changed(record, 0, SEGMENT_SIZE / 4), Buffer.alloc(SEGMENT_SIZE)])),
  () => Buffer.from("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
];

/** A record with good CRCs that nobody has put: its topic would be a path. */
function alien(at: number, topic: string): Buffer {
  const builder = new CommitLogBuilder(SEGMENT_SIZE, true, at);
  const { offset, length } = builder.add({ topic });
  const position = offset % SEGMENT_SIZE;
  return Buffer.from(builder.image(offset).subarray(position, position + length));
}

/** How a connection ends, after what came on it: well, by a reset, within a header; or it says nothing more, and does not end. */
const ENDS: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.end(),
  (socket) => socket.write("", () => setTimeout(() => socket.destroy(), 20)),
  (socket) => socket.end(Buffer.alloc(3, 0xff)),
  () => {},
];

test.serial(
  "masters that send rubbish, in any pieces, are refused with a code; nothing of it is appended or acknowledged",
  async (t) => {
    const seed = chosenSeed();
    t.log(`seed=${seed}`);
    const random = seededRandom(seed);
    const source = await openStore(t);
    const puts = Array.from({ length: MESSAGES }, (_, n) => source.putMessage(numbered(n, 100 + ((n * 37) % 900))));
    const ends = (await Promise.all(puts)).map(
      ({ appendResult }) => (appendResult?.wroteOffset ?? 0) + (appendResult?.wroteBytes ?? 0),
    );
    const end = source.maxPhysicalOffset;
    const log = logBytes(source, 0, end);
    let slave: MessageStore | undefined;
    let goodEnd = 0;
    let hostile = 0;
    const onSlave = async (peer: RawMasterPeer): Promise<void> => {
      const { socket, start } = peer;
      const number = master.connections;
      if (number === 1) return void socket.write(transferHeader(0, 0)); // the opening asks where the log begins
      socket.setNoDelay(true);
      const own = slave?.maxPhysicalOffset ?? 0;
      // Every second one is hostile from its first frame on; the others send something good first, so that the next attempt comes soon.
      const isGoodFirst = number % 2 === 0;
      const at = isGoodFirst ? (ends.find((recordEnd) => recordEnd > own) ?? end) : start;
      if (isGoodFirst) {
        goodEnd = Math.max(goodEnd, at);
        inPieces(socket, transfer(start, log.subarray(start, at)), random);
        await until(() => peer.isClosed || slave?.maxPhysicalOffset === at);
      }
      const record = log.subarray(at, ends.find((recordEnd) => recordEnd > at) ?? end);
      inPieces(socket, HOSTILITIES[hostile++ % HOSTILITIES.length]?.(random, at, record) ?? Buffer.alloc(0), random);
      ENDS[random(ENDS.length)]?.(socket);
    };
    const master = await RawMaster.listen(t, (peer) => void onSlave(peer).catch(() => {}));
    const codes = new Set<string>();
    slave = await openSlave(t, master.port, { haHousekeepingInterval: SILENCE_MS });
    for (const name of ["error", "diverged"] as const) slave.on(name, ({ code }) => codes.add(code));
    const before = process.memoryUsage.rss();
    const isAstray = (): boolean => (slave?.maxPhysicalOffset ?? 0) > goodEnd;
    for (let seen = -1; master.connections < CONNECTIONS && !isAstray(); seen = master.connections)
      await until(() => master.connections > seen);
    t.false(isAstray(), "what nobody should send was appended");
    t.true(process.memoryUsage.rss() - before < MEMORY_MOST, `${process.memoryUsage.rss() - before}`);
    const { port } = master;
    await master.close();
    t.is(slave.stats().state, "running");
    const own = slave.maxPhysicalOffset;
    t.true(own > 0 && own <= goodEnd, `own=${own} goodEnd=${goodEnd}`);
    t.true(Math.max(...master.reports) <= goodEnd, `reported=${Math.max(...master.reports)} goodEnd=${goodEnd}`);
    t.true(logBytes(slave, 0, own).equals(log.subarray(0, own)));
    t.true(
      ["ERR_HA_PROTOCOL", "ERR_HA_DIVERGED"].every((code) => codes.has(code)),
      [...codes].join(),
    );
    t.deepEqual(
      [...codes].filter((code) => !code.startsWith("ERR_HA_")),
      [],
    );
    const { storePathRootDir } = source.config;
    await source.close();
    const good = await openStore(t, { storePathRootDir, haListenPort: port });
    await follows(slave, good);
    t.true(logBytes(slave, 0, end).equals(log));
  },
);

/** A log of RocketMQ's records in segments that end so many bytes after the last one; where that is all of a segment, it has none. */
function logWithRests(rests: readonly number[]): { readonly log: Buffer; readonly records: number } {
  const builderSize = 2 * (rests.length + 1) * SEGMENT_SIZE; // so that it does not end segments itself
  const overhead = new CommitLogBuilder(builderSize).add({ body: new Uint8Array(0) }).length;
  const bytes: Uint8Array[] = [];
  let records = 0;
  const add = (length: number): void => {
    const builder = new CommitLogBuilder(builderSize, true, bytes.length * SEGMENT_SIZE);
    const segment = new Uint8Array(SEGMENT_SIZE);
    if (length > 0) {
      const { offset } = builder.add({ body: new Uint8Array(length - overhead), queueOffset: records++ });
      segment.set(builder.image(offset).subarray(offset, offset + length));
    }
    const rest = SEGMENT_SIZE - length;
    if (rest >= BLANK_RECORD_LENGTH) writeBlankRecord(new DataView(segment.buffer), length, rest);
    segment.fill(0x78, length + BLANK_RECORD_LENGTH); // any bytes may be there
    bytes.push(segment);
  };
  for (const rest of rests) add(SEGMENT_SIZE - rest);
  add(500);
  return { log: Buffer.concat(bytes).subarray(0, rests.length * SEGMENT_SIZE + 500), records };
}

const BLANK = SEGMENT_SIZE;
const RESTS = {
  "of 0 to 9 bytes": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  "that are all of it, one after another": [30_000, BLANK, BLANK, 10_000],
};

for (const [what, rests] of Object.entries(RESTS)) {
  for (const writeWithoutMmap of [false, true]) {
    test.serial(
      `segments of a master end in rests ${what}, and a slave has them so, writeWithoutMmap=${writeWithoutMmap}`,
      async (t) => {
        const random = seededRandom(chosenSeed());
        const { log, records } = logWithRests(rests);
        let cuts = 0;
        const master = await RawMaster.listen(t, ({ socket, start }) => {
          socket.setNoDelay(true);
          if (master.connections === 1) return void socket.write(transferHeader(0, 0)); // the opening asks where the log begins
          // The first connections end somewhere on the way.
          const end = ++cuts < 4 ? Math.min(log.length, start + 20_000 + random(SEGMENT_SIZE)) : log.length;
          for (let at = start; at < end; at += 9000) socket.write(transfer(at, log.subarray(at, Math.min(end, at + 9000))));
          if (end < log.length) socket.end();
        });
        const slave = await openSlave(t, master.port, { writeWithoutMmap, flushDiskType: "SYNC_FLUSH" });
        await until(() => slave.maxPhysicalOffset >= log.length || slave.stats().state !== "running");
        await until(() => Math.max(...master.reports) >= log.length || slave.stats().state !== "running");
        t.is(slave.stats().state, "running");
        t.is(Math.max(...master.reports), log.length);
        t.true(logBytes(slave, 0, log.length).equals(log));
        await slave.close();
        const { storePathRootDir } = slave.config;
        const opened = await openStore(t, { storePathRootDir });
        t.is(opened.maxPhysicalOffset, log.length);
        t.is(opened.getMaxOffsetInQueue("TopicA", 0), records);
      },
    );
  }
}

/** Whole, byte by byte, or in pieces of any length. */
function inPieces(socket: Socket, bytes: Buffer, random: Random): void {
  const most = [bytes.length, 1, 100][random(3)] ?? 1;
  const length = bytes.length > 5000 ? Math.max(100, most) : most;
  for (let at = 0; at < bytes.length; at += length) socket.write(bytes.subarray(at, at + length));
}

test("whatever a first frame is, it has a code or waits for more, and nothing of it can be appended", (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const builder = new CommitLogBuilder(SEGMENT_SIZE).fillTo(0, 2000);
  const length = builder.records[0]?.length ?? 0;
  const record = Buffer.from(builder.image(0).subarray(0, length));
  const noLog = { read: () => t.fail("an empty log is not read"), close: () => {} } as unknown as LogBytes;
  const codes = new Map<string, number>();
  for (let n = 0; n < FIRST_FRAMES; n++) {
    const session = new MasterSession(noLog, { minOffset: 0, endOffset: 0, acknowledgedOffset: 0 }, SEGMENT_SIZE);
    const reader = new TransferReader();
    const bytes = HOSTILITIES[n % HOSTILITIES.length]?.(random, 0, record) ?? Buffer.alloc(0);
    let code = "waits";
    try {
      for (let at = 0, most = 1 + random(bytes.length); at < bytes.length; at += most) {
        reader.push(bytes.subarray(at, at + most), session);
        if (!session.records.next()) continue;
        code = "whole";
        break;
      }
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      code = error.code;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
    t.is(session.records.offset, 0);
  }
  const { whole = 0, waits = 0, ...coded } = Object.fromEntries(codes);
  t.deepEqual(Object.keys(coded).sort(), ["ERR_HA_PROTOCOL", "ERR_HA_START"]);
  // Whole: the record whose topic is a path, which the slave refuses when it looks for its queue.
  t.true(whole <= FIRST_FRAMES / HOSTILITIES.length + 1 && waits < FIRST_FRAMES / 2, JSON.stringify([...codes]));
});
