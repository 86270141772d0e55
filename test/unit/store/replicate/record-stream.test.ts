import { LONG_BODY } from "@millrace/kernels";
import test from "ava";
import { BODY_OFFSET } from "#format/message-descriptor.js";
import { RecordMemory } from "#store/replicate/record-memory.js";
import { RecordStream } from "#store/replicate/record-stream.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { chosenSeed, seededRandom } from "../../../support/random.js";

const SEGMENT_SIZE = 4 * 1024 * 1024;

for (const propertyCrc of [true, false]) {
  test(`records of every length come out as they went in, however they are split: ${propertyCrc ? "property" : "body"} CRC`, (t) => {
    const seed = chosenSeed();
    t.log(`seed=${seed}`);
    const random = seededRandom(seed);
    const builder = new CommitLogBuilder(SEGMENT_SIZE, propertyCrc);
    // About where the kernels leave CRCs to zlib, and longer than the memory is at first.
    const lengths = [0, 1, 127, LONG_BODY - 300, LONG_BODY - 1, LONG_BODY, LONG_BODY + 1, 300_000, 5, 700_000];
    for (let i = 0; i < 60; i++) lengths.push(LONG_BODY - 200 + i, random(5000));
    for (const length of lengths) builder.add({ body: Uint8Array.from({ length }, () => random(256)) });
    const log = builder.image(0).subarray(0, builder.offset);

    const memory = new RecordMemory();
    for (let round = 0; round < 3; round++) {
      const stream = new RecordStream(SEGMENT_SIZE, 0, memory); // as the next connection has it
      const pieces: Uint8Array[] = [];
      let records = 0;
      for (let i = 0; i < log.length; ) {
        const length = random(round === 0 ? 300 : 100_000);
        stream.fill(log.subarray(i, i + length));
        i += length;
        for (; stream.next(); records++) stream.take();
        pieces.push(stream.run.slice());
        stream.endRun();
      }
      t.is(records, lengths.length);
      t.true(Buffer.concat(pieces).equals(log));
    }
  });

  test(`a record with a bit flipped is refused, and those before it are a run: ${propertyCrc ? "property" : "body"} CRC`, (t) => {
    const seed = chosenSeed();
    t.log(`seed=${seed}`);
    const random = seededRandom(seed);
    const builder = new CommitLogBuilder(SEGMENT_SIZE, propertyCrc);
    builder.add();
    const memory = new RecordMemory();
    for (const length of [1, 128, LONG_BODY - 1, LONG_BODY, 2 * LONG_BODY]) {
      const { offset } = builder.add({ body: Uint8Array.from({ length }, () => random(256)) });
      const log = builder.image(0).slice(0, builder.offset);
      const bodyAt = offset + BODY_OFFSET + random(length);
      log[bodyAt] = (log[bodyAt] as number) ^ (1 << random(8));
      const stream = new RecordStream(SEGMENT_SIZE, 0, memory);
      stream.fill(log);
      const takeAll = (): void => {
        while (stream.next()) stream.take();
      };
      t.throws(takeAll, { code: "ERR_HA_PROTOCOL", message: /verdict=BAD_(PROPERTY|BODY)_CRC/ });
      t.is(stream.run.length, offset);
    }
  });
}
