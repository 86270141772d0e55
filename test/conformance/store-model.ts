import { createHash } from "node:crypto";
import { crc32, encodeHost, encodeMessageId, SCHEDULE_TOPIC, tagsCode } from "@millrace/format";
import { getOffsets } from "./get-offsets.js";
import type { DumpLine, Probe, ProgramMessage, ProgramOptions, Put, PutAnswer } from "./protocol.js";

const RECORD_OVERHEAD = 91;
const BLANK = 8;
const V1_TOPIC_LIMIT = 127;
const PROPERTIES_LIMIT = 32_767;
const PROPERTY_CRC = 20;
const UNIT = 20;
const IPV6_EXTRA = 12;
const TRANSACTION = 12;
const PREPARED = 4;
const ROLLBACK = 12;
const DAY_MS = 86_400_000;
/** RocketMQ's maxTransferBytesOnMessageInMemory, and its count. */
const TRANSFER_BYTES = 262_144;
const TRANSFER_COUNT = 32;

/** How a writer encodes, where the two differ. */
export interface WriterTraits {
  readonly isPropertyCrc: boolean;
  /** RocketMQ's program writes the property string that the put asks for; Millrace always ends it with 0x02. */
  readonly keepsTrailingSeparator: boolean;
  /** 4.9 encodes a delayed message again, without the 0x02 at the end. */
  readonly stripsDelayed: boolean;
  readonly propertiesTooLarge: "MESSAGE_ILLEGAL" | "PROPERTIES_SIZE_EXCEEDED";
}

interface ModelRecord {
  readonly message: ProgramMessage;
  readonly delayMs: number;
  readonly offset: number;
  readonly size: number;
  readonly queueOffset: number;
  readonly storeTimestamp: number;
}

/** What a put must be answered, all but the store timestamp. */
export interface Forecast {
  readonly answer: PutAnswer;
  readonly records: readonly Omit<ModelRecord, "storeTimestamp">[];
}

/**
 * What a store must hold after the puts of a scenario, worked out from the specification: sizes, offsets, rolls, queues, keys, and
 * the answer to every question of a probe. The third opinion beside the two stores.
 */
export class StoreModel {
  readonly #options: ProgramOptions;
  readonly #records: ModelRecord[] = [];
  readonly #queues = new Map<string, ModelRecord[]>();
  #end = 0;

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  get maxOffset(): number {
    return this.#end;
  }

  /** What the next put will be answered. */
  forecast(put: Put, writer: WriterTraits): Forecast {
    const { maxMessageSize, mappedFileSizeCommitLog } = this.#options;
    const stored = put.messages.map((message) => this.#delayed(message));
    const sizes = stored.map((entry) => recordSize(entry.message, put, writer, entry.delayMs > 0));
    for (const { message } of stored) {
      if (propertiesLength(message) > PROPERTIES_LIMIT) return { answer: { status: writer.propertiesTooLarge }, records: [] };
      if (bodyOf(message).length > maxMessageSize) return { answer: { status: "MESSAGE_ILLEGAL" }, records: [] };
    }
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const left = mappedFileSizeCommitLog - (this.#end % mappedFileSizeCommitLog);
    const start = bytes + BLANK > left ? this.#end + left : this.#end;
    let offset = start;
    const next = new Map<string, number>();
    const records = stored.map(({ message, delayMs }, index) => {
      const size = sizes[index] as number;
      const key = queueKey(message);
      const queueOffset = isQueued(message) ? (next.get(key) ?? this.#queue(key).length) : 0;
      next.set(key, queueOffset + 1);
      const record = { message, delayMs, offset, size, queueOffset };
      offset += size;
      return record;
    });
    const msgId = records.map((record) => encodeMessageId(encodeHost(record.message.storeHost), record.offset)).join(",");
    return { answer: { status: "PUT_OK", offset: start, bytes, queueOffset: records[0]?.queueOffset ?? 0, msgId }, records };
  }

  /** Takes over what was forecast. */
  add(forecast: Forecast, storeTimestamp: number): void {
    for (const record of forecast.records) {
      const complete = { ...record, storeTimestamp };
      this.#records.push(complete);
      if (isQueued(record.message)) this.#queue(queueKey(record.message)).push(complete);
      this.#end = record.offset + record.size;
    }
  }

  /** A writer was killed between the blank record that ends a segment and the record that did not fit. */
  roll(): void {
    const { mappedFileSizeCommitLog } = this.#options;
    this.#end = Math.ceil(this.#end / mappedFileSizeCommitLog) * mappedFileSizeCommitLog;
  }

  /** The last record was torn: recovery cuts it. */
  cutLast(): void {
    const cut = this.#records.pop();
    if (cut === undefined) return;
    if (isQueued(cut.message)) this.#queue(queueKey(cut.message)).pop();
    this.#end = cut.offset;
  }

  get lastRecord(): { readonly offset: number; readonly size: number } | undefined {
    return this.#records.at(-1);
  }

  /** Store timestamps in the order of the log. */
  get storeTimestamps(): number[] {
    return this.#records.map((record) => record.storeTimestamp);
  }

  /** Everything worth asking. @param times of which to ask, at most */
  probe(times: number): Probe {
    const stamps = [...new Set(this.storeTimestamps)];
    const step = Math.max(1, Math.ceil(stamps.length / times));
    const asked = stamps.filter((_, index) => index % step === 0);
    const [first, last] = [stamps[0] ?? 0, stamps.at(-1) ?? 0];
    return {
      queues: [...this.#queues.values()].flatMap(([record]) =>
        record === undefined ? [] : [[record.message.topic, record.message.queueId] as const],
      ),
      keys: [...this.#keys().values()].map(({ topic, key }) => [topic, key] as const),
      times: [...new Set([first - 1, ...asked, last, last + 1])],
      offsets: [...this.#records.map((record) => record.offset), this.#end],
    };
  }

  /** The dump of a store that holds exactly this. */
  dump(probe: Probe): DumpLine[] {
    const lines: DumpLine[] = [{ kind: "log", minOffset: 0, maxOffset: this.#end }];
    const queues = probe.queues.map(([topic, queueId]) => ({ topic, queueId, queue: this.#queue(`${topic}-${queueId}`) }));
    for (const { topic, queueId, queue } of queues)
      lines.push({ kind: "queue", topic, queueId, minOffset: 0, maxOffset: queue.length });
    for (const { queue } of queues) lines.push(...queue.map(messageLine));
    for (const { topic, queueId, queue } of queues) {
      for (const offset of getOffsets(0, queue.length)) {
        for (const maxMessages of [1, 32]) lines.push(this.#getLine(queue, topic, queueId, offset, maxMessages));
      }
    }
    for (const { topic, queueId, queue } of queues) {
      for (const time of probe.times) lines.push(timeLine(queue, topic, queueId, time));
    }
    for (const { topic, queueId, queue } of queues) {
      const first = queue[0]?.storeTimestamp ?? -1;
      const last = queue.at(-1)?.storeTimestamp ?? -1;
      lines.push({ kind: "timestamp", topic, queueId, earliest: first, first, last, beyond: -1 });
    }
    const keys = this.#keys();
    for (const [topic, key] of probe.keys) {
      lines.push({ kind: "key", topic, key, offsets: keys.get(`${topic}#${key}`)?.offsets ?? [] });
    }
    const at = new Map(this.#records.map((record) => [record.offset, record]));
    for (const offset of probe.offsets) {
      const record = at.get(offset);
      const msgId = record === undefined ? null : encodeMessageId(encodeHost(record.message.storeHost), offset);
      lines.push({ kind: "lookup", offset, msgId, size: record?.size ?? null });
    }
    lines.push({ kind: "runtime", commitLogMinOffset: 0, commitLogMaxOffset: this.#end });
    return lines;
  }

  #queue(key: string): ModelRecord[] {
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #getLine(queue: readonly ModelRecord[], topic: string, queueId: number, offset: number, maxMessages: number): DumpLine {
    const line = { kind: "get", topic, queueId, offset, maxMessages };
    const answer = (status: string, nextBeginOffset: number, count = 0, bytes = 0): DumpLine => ({
      ...line,
      status,
      nextBeginOffset,
      minOffset: 0,
      maxOffset: queue.length,
      count,
      bytes,
    });
    if (queue.length === 0) return answer("NO_MESSAGE_IN_QUEUE", 0);
    if (offset < 0) return answer("OFFSET_TOO_SMALL", 0);
    if (offset === queue.length) return answer("OFFSET_OVERFLOW_ONE", offset);
    if (offset > queue.length) return answer("OFFSET_OVERFLOW_BADLY", queue.length);
    const unitsInFile = this.#options.mappedFileSizeConsumeQueue / UNIT;
    const fileEnd = offset + unitsInFile - (offset % unitsInFile);
    let count = 0;
    let bytes = 0;
    for (const { size } of queue.slice(offset, Math.min(fileEnd, offset + Math.min(maxMessages, TRANSFER_COUNT)))) {
      if (count > 0 && bytes + size > TRANSFER_BYTES) break;
      count++;
      bytes += size;
    }
    return answer("FOUND", offset + count, count, bytes);
  }

  #keys(): Map<string, { topic: string; key: string; offsets: number[] }> {
    const keys = new Map<string, { topic: string; key: string; offsets: number[] }>();
    for (const { message, offset } of this.#records) {
      if ((message.sysFlag & TRANSACTION) === ROLLBACK) continue;
      const properties = new Map(message.properties);
      const own = [properties.get("UNIQ_KEY") ?? "", ...(properties.get("KEYS") ?? "").split(" ")].filter((key) => key !== "");
      for (const key of new Set(own)) {
        const id = `${message.topic}#${key}`;
        const entry = keys.get(id) ?? { topic: message.topic, key, offsets: [] };
        entry.offsets.push(offset);
        keys.set(id, entry);
      }
    }
    return keys;
  }

  /** RocketMQ's delay transformation; delayMs is 0 without one. */
  #delayed(message: ProgramMessage): { message: ProgramMessage; delayMs: number } {
    const level = Number(new Map(message.properties).get("DELAY") ?? 0);
    if (level === 0 || !isQueued(message)) return { message, delayMs: 0 };
    const levels = this.#options.messageDelayLevel.split(" ");
    const clamped = Math.min(level, levels.length);
    const properties = new Map(message.properties);
    properties.set("DELAY", String(clamped));
    properties.set("REAL_TOPIC", message.topic);
    properties.set("REAL_QID", String(message.queueId));
    const delayMs = Number.parseInt(levels[clamped - 1] ?? "", 10) * DAY_MS;
    return { message: { ...message, topic: SCHEDULE_TOPIC, queueId: clamped - 1, properties: [...properties] }, delayMs };
  }
}

function queueKey(message: ProgramMessage): string {
  return `${message.topic}-${message.queueId}`;
}

function isQueued(message: ProgramMessage): boolean {
  const transaction = message.sysFlag & TRANSACTION;
  return transaction !== PREPARED && transaction !== ROLLBACK;
}

function bodyOf(message: ProgramMessage): Buffer {
  return Buffer.from(message.body, "base64");
}

/** With a separator after each pair. */
function propertiesLength(message: ProgramMessage): number {
  return message.properties.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 2, 0);
}

function recordSize(message: ProgramMessage, put: Put, writer: WriterTraits, isDelayed: boolean): number {
  const topicLength = Buffer.byteLength(message.topic);
  const v6 = [message.bornHost, message.storeHost].filter((host) => host.address.includes(":")).length;
  const properties = propertiesLength(message);
  const isStripped =
    properties > 0 && writer.keepsTrailingSeparator && (isDelayed ? writer.stripsDelayed : put.trailingSeparator === false);
  // The CRC's pair is separated from the one before it, so that nothing is saved then.
  const saved = isStripped && !writer.isPropertyCrc ? 1 : 0;
  return (
    RECORD_OVERHEAD +
    bodyOf(message).length +
    topicLength +
    (topicLength > V1_TOPIC_LIMIT ? 1 : 0) +
    properties -
    saved +
    v6 * IPV6_EXTRA +
    (writer.isPropertyCrc ? PROPERTY_CRC : 0)
  );
}

function messageLine({ message, delayMs, offset, size, queueOffset, storeTimestamp }: ModelRecord): DumpLine {
  const body = bodyOf(message);
  const properties = new Map(message.properties);
  const v6Born = message.bornHost.address.includes(":") ? 0x10 : 0;
  const v6Store = message.storeHost.address.includes(":") ? 0x20 : 0;
  return {
    kind: "message",
    topic: message.topic,
    queueId: message.queueId,
    queueOffset,
    physicalOffset: offset,
    size,
    tagsCode: String(delayMs > 0 ? storeTimestamp + delayMs : tagsCode(properties.get("TAGS"))),
    bodyCrc: crc32(body) & 0x7fffffff,
    bodySha256: createHash("sha256").update(body).digest("hex"),
    bodyLength: body.length,
    flag: message.flag,
    sysFlag: message.sysFlag | v6Born | v6Store,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    storeTimestamp,
    storeHost: message.storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    properties: Object.fromEntries(properties),
    msgId: encodeMessageId(encodeHost(message.storeHost), offset),
  };
}

function timeLine(queue: readonly ModelRecord[], topic: string, queueId: number, time: number): DumpLine {
  const after = queue.findIndex((record) => record.storeTimestamp >= time);
  const upper = queue.findLastIndex((record) => record.storeTimestamp <= time);
  return { kind: "time", topic, queueId, time, lower: after < 0 ? queue.length : after, upper: Math.max(upper, 0) };
}
