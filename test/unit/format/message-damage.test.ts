import { encodeHost, MessageChecker } from "@millrace/format";
import test from "ava";
import { decodeMessage } from "../../support/message-decoder.js";
import { SAMPLE_PHYSICAL_OFFSET, sampleMessage, sealedRecord, viewOf } from "../../support/sample-message.js";

const { MILLRACE_SEED } = process.env;
const SEED = Number(MILLRACE_SEED ?? Date.now() % 0x7fffffff);

/** mulberry32: numbers of [0, bound) that a seed repeats. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const V6_HOST = encodeHost({ address: "2001:db8::1", port: 4567 });

const SAMPLES = [
  sampleMessage(),
  sampleMessage({ bornHost: V6_HOST }),
  sampleMessage({ bornHost: V6_HOST, storeHost: V6_HOST, body: Buffer.alloc(0) }),
  sampleMessage({ topic: Buffer.alloc(200, "t"), properties: Buffer.alloc(0), propertiesLength: 0 }),
];

test("with a property CRC, every flip of a single bit is detected", (t) => {
  const checker = new MessageChecker();
  for (const message of SAMPLES) {
    const bytes = sealedRecord(message, true);
    const view = viewOf(bytes);
    const check = (): number => checker.check(view, bytes, 0, bytes.length, SAMPLE_PHYSICAL_OFFSET, true);
    t.is(check(), bytes.length);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >>> 3;
      const byte = bytes[at] as number;
      bytes[at] = byte ^ (1 << (bit & 7));
      if (check() > 0) t.fail(`bit ${bit} of ${bytes.length * 8} went unseen`);
      bytes[at] = byte;
    }
    t.is(check(), bytes.length);
  }
});

/** Flips up to three bits, overwrites four bytes, or cuts. Bytes lie in a larger buffer: a read past the end would not throw by itself. */
function damage(record: Buffer, random: (bound: number) => number): Uint8Array {
  const bytes = Buffer.concat([Buffer.alloc(8, 0xff), record, Buffer.alloc(64, 0xff)]).subarray(8, 8 + record.length);
  const kind = random(3);
  if (kind === 0) {
    for (let flips = random(3); flips >= 0; flips--) {
      const at = random(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    }
  } else if (kind === 1) {
    bytes.writeUInt32BE(random(0x1_0000_0000), random(bytes.length - 3));
  } else {
    return bytes.subarray(0, random(bytes.length));
  }
  return bytes;
}

function liesInside(outer: Uint8Array, inner: Uint8Array): boolean {
  return inner.byteOffset >= outer.byteOffset && inner.byteOffset + inner.length <= outer.byteOffset + outer.length;
}

/** Runs `decode`; anything but a refusal fails the test. Returns its value where it has one. */
function tolerate<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if ((error as Error).message.startsWith("no good record: ")) return undefined;
    throw error;
  }
}

test("damaged records decode to something inside them or are refused", (t) => {
  t.log(`MILLRACE_SEED=${SEED}`);
  const random = randomNumbers(SEED);
  let refused = 0;
  const rounds = 20_000;
  for (let round = 0; round < rounds; round++) {
    const record = sealedRecord(SAMPLES[round % SAMPLES.length] ?? sampleMessage(), round % 2 === 0);
    const bytes = damage(record, random);
    const found = tolerate(() => decodeMessage(bytes));
    if (found === undefined) refused++;
    else if (found.size > bytes.length || !liesInside(bytes, found.body)) t.fail(`round=${round}`);
    const checker = new MessageChecker();
    const size = checker.check(viewOf(bytes), bytes, 0, bytes.length, SAMPLE_PHYSICAL_OFFSET, false);
    if (size > 0 && checker.propertiesPosition + checker.propertiesLength !== size) t.fail(`round=${round}`);
  }
  t.true(refused > rounds / 2);
});
