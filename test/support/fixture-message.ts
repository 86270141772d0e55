import type { Host } from "@millrace/format";
import {
  bodyOffsetOf,
  encodedLength,
  encodeHost,
  encodeMessage,
  javaHashMapOrder,
  MessageSealer,
  storedPropertiesLength,
} from "@millrace/format";
import { encodeProperties } from "./property-string.js";

/** What a Java program put, before the store saw it: fixtures/README.md as data. */
export interface FixtureMessage {
  topic: string;
  queueId: number;
  body: string;
  /** In the order of the setters, unless `ordered`. */
  properties: Record<string, string>;
  ordered?: boolean;
  flag: number;
  sysFlag: number;
  reconsumeTimes: number;
  preparedTransactionOffset: number;
  bornHost: Host;
  storeHost: Host;
}

export const BORN_TIMESTAMP = 1_700_000_000_000;
const BORN_V6 = { address: "2001:db8::1", port: 4567 };
const STORE_V6 = { address: "::1", port: 10911 };

function message(topic: string, queueId: number, body: string, changes: Partial<FixtureMessage> = {}): FixtureMessage {
  return {
    topic,
    queueId,
    body,
    properties: {},
    flag: 0x01020304,
    sysFlag: 0,
    reconsumeTimes: 5,
    preparedTransactionOffset: 0,
    bornHost: { address: "10.1.2.3", port: 4567 },
    storeHost: { address: "127.0.0.1", port: 10911 },
    ...changes,
  };
}

function tagged(TAGS: string, KEYS?: string): Record<string, string> {
  return KEYS === undefined ? { TAGS } : { TAGS, KEYS };
}

/** Only 4.9 transforms in the store; its level is clamped to 18. */
function delayed(version: "4.9" | "5.3", body: string, level: number): FixtureMessage {
  const properties = { ...tagged("TagD"), DELAY: String(level) };
  if (version === "5.3") return message("TopicD", 3, body, { properties });
  const DELAY = String(Math.min(level, 18));
  return message("SCHEDULE_TOPIC_XXXX", Number(DELAY) - 1, body, {
    properties: { ...properties, DELAY, REAL_TOPIC: "TopicD", REAL_QID: "3" },
  });
}

/** The batch's own property follows those of the message, in either version. */
function ofBatch(i: number): FixtureMessage {
  const own = { ...tagged(`T${i}`, `key${i}`), WAIT: "true" };
  const properties = Object.fromEntries(javaHashMapOrder(Object.keys(own)).map((name) => [name, own[name as keyof typeof own]]));
  return message("TopicB", 1, `b${i}`, { properties: { ...properties, bp: "bv" }, ordered: true, flag: 0, reconsumeTimes: 0 });
}

/** By the name that the `.out` file gives the put. */
export function fixtureMessages(version: "4.9" | "5.3"): Map<string, FixtureMessage[]> {
  const one = (...args: Parameters<typeof message>): FixtureMessage[] => [message(...args)];
  return new Map<string, FixtureMessage[]>([
    ["v4", one("TopicA", 0, "hello", { properties: tagged("TagA", "K1 K2") })],
    ["v6both", one("TopicA", 0, "hello6", { properties: tagged("TagA", "K1"), bornHost: BORN_V6, storeHost: STORE_V6 })],
    ["v6born", one("TopicA", 1, "hello6b", { bornHost: BORN_V6 })],
    ["prepared", one("TopicA", 0, "prep", { properties: tagged("TagB"), sysFlag: 4 })],
    ["commit", one("TopicA", 0, "commit", { properties: tagged("TagB"), sysFlag: 8, preparedTransactionOffset: 77 })],
    ["rollback", one("TopicA", 0, "rollb", { properties: tagged("TagB", "KR"), sysFlag: 12 })],
    ["delay3", [delayed(version, "delay", 3)]],
    ["delay99", [delayed(version, "delay99", 99)]],
    ["emptybody", one("TopicA", 2, "")],
    ["nullbody", one("TopicA", 2, "")],
    ["batch", [0, 1, 2].map(ofBatch)],
    ["topic127", one("t".repeat(127), 0, "x")],
    ["topic128", one("t".repeat(128), 0, "x")],
    ["body3000", one("TopicA", 0, "z".repeat(3000))],
    ["afterroll", one("TopicA", 0, "ab", { properties: tagged("TagC", "K9") })],
  ]);
}

/** Encodes and seals one message at `position`; returns the record's length. */
export function writeFixtureMessage(
  bytes: Buffer,
  position: number,
  source: FixtureMessage,
  store: { version: "4.9" | "5.3"; appendPropertyCrc: boolean },
  place: { queueOffset: number; physicalOffset: number; storeTimestamp: number },
): number {
  const names = source.ordered === true ? Object.keys(source.properties) : javaHashMapOrder(Object.keys(source.properties));
  const properties = encodeProperties(
    names.map((name) => [name, source.properties[name]] as const),
    store.version === "5.3",
  );
  const fields = {
    topic: Buffer.from(source.topic),
    queueId: source.queueId,
    flag: source.flag,
    sysFlag: source.sysFlag,
    bornTimestamp: BORN_TIMESTAMP,
    bornHost: encodeHost(source.bornHost),
    storeHost: encodeHost(source.storeHost),
    reconsumeTimes: source.reconsumeTimes,
    preparedTransactionOffset: source.preparedTransactionOffset,
    body: Buffer.from(source.body),
    properties,
    propertiesLength: properties.length,
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stored = storedPropertiesLength(fields, store.appendPropertyCrc);
  const length = encodedLength(fields, stored);
  encodeMessage(view, bytes, position, fields, length, stored);
  const { queueOffset, physicalOffset, storeTimestamp } = place;
  new MessageSealer().seal(
    view,
    bytes,
    position,
    length,
    bodyOffsetOf(fields),
    queueOffset,
    physicalOffset,
    storeTimestamp,
    store.appendPropertyCrc,
  );
  return length;
}
