import {
  decodeMessageId,
  encodeHost,
  encodeMessageId,
  MessageChecker,
  MessageVerdict,
  messageVerdictName,
  PROPERTY_CRC_NAME,
  writeBlankRecord,
} from "@millrace/format";
import test from "ava";
import { BORN_TIMESTAMP, fixtureMessages, writeFixtureMessage } from "../support/fixture-message.js";
import type { FixturePut, FixtureStore } from "../support/fixture-store.js";
import { FIXTURE_STORES } from "../support/fixture-store.js";
import type { DecodedMessage } from "../support/message-decoder.js";
import { decodeMessage } from "../support/message-decoder.js";

/** Everything a scan of the whole store meets, in order. */
interface Scan {
  messages: Map<number, DecodedMessage>;
  blanks: Map<number, number>;
  /** Verdict at the end of the last segment. */
  end: string;
}

function scan(store: FixtureStore): Scan {
  const result: Scan = { messages: new Map(), blanks: new Map(), end: "" };
  const checker = new MessageChecker();
  for (const { offset, bytes } of store.segments) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let position = 0;
    let size = checker.check(view, bytes, 0, bytes.length, offset, true);
    for (; size > 0; size = checker.check(view, bytes, position, bytes.length, offset + position, true)) {
      result.messages.set(offset + position, decodeMessage(bytes, position));
      position += size;
    }
    if (size === MessageVerdict.BLANK) result.blanks.set(offset + position, checker.blankLength);
    result.end = messageVerdictName(size);
  }
  return result;
}

/** A record that fits no segment: the Java store says PUT_OK and fills a segment with one blank record. */
function wastesSegment(put: FixturePut): boolean {
  return put.name === "props32767";
}

for (const store of FIXTURE_STORES) {
  const sources = fixtureMessages(store.version);
  const appended = store.puts.filter((put) => put.append !== undefined && !wastesSegment(put));

  test(`${store.name}: every put that the store accepted decodes to what it answered`, (t) => {
    const { messages, blanks, end } = scan(store);
    for (const put of appended) {
      let offset = put.append?.offset ?? -1;
      for (const [i, msgId] of (put.append?.msgIds ?? []).entries()) {
        const found = messages.get(offset);
        t.is(put.status, "PUT_OK");
        t.is(found?.physicalOffset, offset, put.name);
        t.is(found?.queueOffset, (put.append?.queueOffset ?? -1) + i, put.name);
        t.is(found?.msgId, msgId, put.name);
        messages.delete(offset);
        offset += found?.size ?? 0;
      }
      t.is(offset, (put.append?.offset ?? -1) + (put.append?.bytes ?? -1), put.name);
    }
    t.is(messages.size, 0, "the log holds nothing that no put answered");
    const wasted = store.puts.find((put) => wastesSegment(put) && put.append !== undefined);
    if (wasted?.append !== undefined) t.is(blanks.get(wasted.append.offset) ?? -1, wasted.append.bytes);
    t.is(end, wasted === undefined ? "EMPTY" : "BLANK");
  });

  test(`${store.name}: every put that the store refused left nothing`, (t) => {
    const refused = store.puts.filter((put) => put.append === undefined);
    t.true(refused.length >= 3);
    for (const put of refused) t.true(["MESSAGE_ILLEGAL", "PROPERTIES_SIZE_EXCEEDED"].includes(put.status), put.name);
    t.is(appended.length + refused.length, store.puts.length - (store.appendPropertyCrc ? 0 : 1));
  });

  test(`${store.name}: every record holds what was put`, (t) => {
    const { messages } = scan(store);
    for (const put of appended) {
      let offset = put.append?.offset ?? -1;
      for (const source of sources.get(put.name) ?? []) {
        const found = messages.get(offset) as DecodedMessage;
        const { body, properties, ordered: _, sysFlag, ...same } = source;
        const { topic, queueId, flag, reconsumeTimes, preparedTransactionOffset, bornHost, storeHost } = found;
        t.deepEqual({ topic, queueId, flag, reconsumeTimes, preparedTransactionOffset, bornHost, storeHost }, same);
        t.is(Buffer.from(found.body).toString(), body);
        t.is(found.transactionType, sysFlag);
        t.is(found.bornTimestamp, BORN_TIMESTAMP);
        t.is(found.properties.delete(PROPERTY_CRC_NAME), store.appendPropertyCrc);
        t.deepEqual(Object.fromEntries(found.properties), properties);
        offset += found.size;
      }
    }
  });

  test(`${store.name}: the same puts encode to the same segments, to the last byte`, (t) => {
    const { messages, blanks } = scan(store);
    for (const { offset: segmentOffset, bytes } of store.segments) {
      const written = Buffer.alloc(bytes.length);
      const view = new DataView(written.buffer, written.byteOffset, written.length);
      for (const put of appended) {
        let physicalOffset = put.append?.offset ?? -1;
        if (physicalOffset < segmentOffset || physicalOffset >= segmentOffset + bytes.length) continue;
        for (const [i, source] of (sources.get(put.name) ?? []).entries()) {
          const storeTimestamp = messages.get(physicalOffset)?.storeTimestamp ?? -1;
          const place = { queueOffset: (put.append?.queueOffset ?? -1) + i, physicalOffset, storeTimestamp };
          physicalOffset += writeFixtureMessage(written, physicalOffset - segmentOffset, source, store, place);
        }
      }
      for (const [blankOffset, length] of blanks) {
        const position = blankOffset - segmentOffset;
        if (position >= 0 && position < bytes.length) writeBlankRecord(view, position, length);
      }
      t.is(written.toString("hex"), bytes.toString("hex"));
    }
  });

  test(`${store.name}: every message id reads back`, (t) => {
    for (const msgId of appended.flatMap((put) => put.append?.msgIds ?? [])) {
      const { host, physicalOffset } = decodeMessageId(msgId);
      t.is(encodeMessageId(encodeHost(host), physicalOffset), msgId);
    }
  });
}
