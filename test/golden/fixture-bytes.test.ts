import { PROPERTY_CRC_LENGTH, SYS_FLAG_BORN_HOST_V6 } from "@millrace/format";
import test from "ava";
import { STORE_TIMESTAMP_OFFSET } from "#format/message-descriptor.js";
import { appendedPuts, NOT_OURS, storeOfFixtureInput } from "../support/fixture-input.js";
import { FIXTURE_STORES } from "../support/fixture-store.js";
import { decodeMessage } from "../support/message-decoder.js";
import { readSegments } from "../support/stored-log.js";

/** The record without what depends on the clock: store timestamp, and the CRC over it (which decoding has verified). */
function timeless(bytes: Buffer, position: number, propertyCrc: boolean): { text: string; size: number } {
  const { size, sysFlag } = decodeMessage(bytes, position);
  const record = Buffer.from(bytes.subarray(position, position + size));
  const at = STORE_TIMESTAMP_OFFSET + ((sysFlag & SYS_FLAG_BORN_HOST_V6) === 0 ? 0 : 12);
  record.fill(0, at, at + 8);
  if (propertyCrc) record.fill(0, size - PROPERTY_CRC_LENGTH + 9);
  return { text: record.toString("hex"), size };
}

for (const fixture of FIXTURE_STORES.filter(({ version }) => version === "5.3")) {
  const { appendPropertyCrc } = fixture;
  test.serial(
    `what RocketMQ 5.3.3 was given becomes the same records in our store (enabledAppendPropCRC=${appendPropertyCrc})`,
    async (t) => {
      const root = await storeOfFixtureInput(t, fixture);
      const ours = readSegments(root);
      let compared = 0;
      for (const { name, append } of appendedPuts(fixture)) {
        if (NOT_OURS.has(name)) continue;
        const segment = Math.floor((append?.offset ?? 0) / 4096);
        for (let position = (append?.offset ?? 0) % 4096, end = position + (append?.bytes ?? 0); position < end; compared++) {
          const theirs = timeless(fixture.segments[segment]?.bytes ?? Buffer.alloc(0), position, appendPropertyCrc);
          t.is(timeless(ours[segment]?.bytes ?? Buffer.alloc(0), position, appendPropertyCrc).text, theirs.text, name);
          position += theirs.size;
        }
      }
      t.true(compared >= 13);
    },
  );
}
