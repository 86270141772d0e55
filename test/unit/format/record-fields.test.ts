import { decodeHost, recordFields } from "@millrace/format";
import test from "ava";
import { FIXTURE_STORES } from "../../support/fixture-store.js";
import { decodeMessage } from "../../support/message-decoder.js";

test("the fields of every record that RocketMQ wrote are all its bytes, in their order, and say what the decoder says", (t) => {
  let seen = 0;
  for (const store of FIXTURE_STORES) {
    for (const { name, append } of store.puts) {
      for (const msgId of append?.msgIds ?? []) {
        const physicalOffset = Number(`0x${msgId.slice(-16)}`);
        const segment = store.segments.find(
          ({ offset, bytes }) => physicalOffset >= offset && physicalOffset < offset + bytes.length,
        );
        if (segment === undefined || name === "props32767") continue;
        const position = physicalOffset - segment.offset;
        const decoded = decodeMessage(segment.bytes, position);
        const record = segment.bytes.subarray(position, position + decoded.size);
        const fields = recordFields(record);
        t.is(fields[0]?.start, 0);
        t.is(fields.at(-1)?.end, record.length);
        for (const [index, { start }] of fields.entries()) t.is(start, index === 0 ? 0 : (fields[index - 1]?.end ?? -1));
        const saidOf = (name: string): unknown => fields.find((field) => field.name === name)?.value;
        const bytesOf = (name: string): Buffer => {
          const { start = 0, end = 0 } = fields.find((field) => field.name === name) ?? {};
          return record.subarray(start, end);
        };
        t.is(saidOf("topic"), decoded.topic);
        t.is(bytesOf("topic").toString(), decoded.topic);
        t.is(saidOf("queue offset"), decoded.queueOffset);
        t.is(saidOf("physical offset"), physicalOffset);
        t.is(saidOf("store timestamp"), decoded.storeTimestamp);
        t.is(Number(bytesOf("store timestamp").readBigInt64BE()), decoded.storeTimestamp);
        t.deepEqual(decodeHost(bytesOf("store host")), decoded.storeHost);
        t.is(bytesOf("prepared transaction offset").length, 8);
        t.deepEqual(Buffer.from(bytesOf("body")), Buffer.from(decoded.body));
        seen++;
      }
    }
  }
  t.true(seen >= 50, `records=${seen}`);
});
