import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { consumeQueueDirectory, crc32, PROPERTY_CRC_NAME, storePaths } from "@millrace/format";
import type { MessageStore, MessageView } from "@millrace/store";
import { readUnits } from "../support/stored-queues.js";
import { getOffsets } from "./get-offsets.js";
import type { DumpLine, Probe } from "./protocol.js";

const BATCH = 32;
const KEY_LIMIT = 64;
/** What RocketMQ answers for what is not there; Millrace answers undefined, and 0 for the first offset of a queue. */
const MISSING = -1;

/** Everything that can be asked of an open store, as lines in README.md's order. */
export function dumpStore(store: MessageStore, probe: Probe): DumpLine[] {
  const lines: DumpLine[] = [{ kind: "log", minOffset: store.minPhysicalOffset, maxOffset: store.maxPhysicalOffset }];
  const queues = probe.queues.map(([topic, queueId]) => {
    const minOffset = isThere(store, topic, queueId) ? store.getMinOffsetInQueue(topic, queueId) : MISSING;
    return { topic, queueId, minOffset, maxOffset: store.getMaxOffsetInQueue(topic, queueId) };
  });
  for (const queue of queues) lines.push({ kind: "queue", ...queue });
  for (const queue of queues) lines.push(...messageLines(store, queue));
  for (const { topic, queueId, minOffset, maxOffset } of queues) {
    for (const offset of getOffsets(minOffset, maxOffset)) {
      for (const maxMessages of [1, BATCH]) lines.push(getLine(store, topic, queueId, offset, maxMessages));
    }
  }
  for (const { topic, queueId } of queues) {
    for (const time of probe.times) lines.push(timeLine(store, topic, queueId, time));
  }
  for (const queue of queues) lines.push(timestampLine(store, queue));
  for (const [topic, key] of probe.keys) lines.push(keyLine(store, topic, key));
  for (const offset of probe.offsets) lines.push(lookupLine(store, offset));
  const { runtimeInfo } = store.stats();
  lines.push({
    kind: "runtime",
    commitLogMinOffset: Number(runtimeInfo.commitLogMinOffset),
    commitLogMaxOffset: Number(runtimeInfo.commitLogMaxOffset),
  });
  return lines;
}

function isThere(store: MessageStore, topic: string, queueId: number): boolean {
  return existsSync(consumeQueueDirectory(storePaths(store.config.storePathRootDir), topic, queueId));
}

interface QueueLimits {
  readonly topic: string;
  readonly queueId: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

function messageLines(store: MessageStore, { topic, queueId, minOffset, maxOffset }: QueueLimits): DumpLine[] {
  const units = readUnits(store.config.storePathRootDir, topic, queueId);
  const lines: DumpLine[] = [];
  let queueOffset = minOffset;
  while (queueOffset < maxOffset) {
    using found = store.getMessage({ topic, queueId, queueOffset, maxMessages: BATCH });
    let unit = queueOffset;
    for (const message of found.messages) lines.push(messageLine(message, String(units.get(unit++)?.tagsCode)));
    if (found.nextBeginOffset <= queueOffset)
      throw new Error(`a get does not advance: topic=${topic} queueId=${queueId} ${found.status}`);
    queueOffset = found.nextBeginOffset;
  }
  return lines;
}

function messageLine(message: MessageView, tagsCode: string): DumpLine {
  const properties = message.properties;
  properties.delete(PROPERTY_CRC_NAME);
  return {
    kind: "message",
    topic: message.topic,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    physicalOffset: message.physicalOffset,
    size: message.size,
    tagsCode,
    bodyCrc: crc32(message.body) & 0x7fffffff,
    bodySha256: createHash("sha256").update(message.body).digest("hex"),
    bodyLength: message.body.length,
    flag: message.flag,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    storeTimestamp: message.storeTimestamp,
    storeHost: message.storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    properties: Object.fromEntries(properties),
    msgId: message.msgId,
  };
}

function getLine(store: MessageStore, topic: string, queueId: number, offset: number, maxMessages: number): DumpLine {
  using found = store.getMessage({ topic, queueId, queueOffset: offset, maxMessages });
  const { status, nextBeginOffset, minOffset, maxOffset, messages, bufferTotalSize } = found;
  const count = messages.length;
  return {
    kind: "get",
    topic,
    queueId,
    offset,
    maxMessages,
    status,
    nextBeginOffset,
    minOffset,
    maxOffset,
    count,
    bytes: bufferTotalSize,
  };
}

function timeLine(store: MessageStore, topic: string, queueId: number, time: number): DumpLine {
  const lower = store.getOffsetInQueueByTime(topic, queueId, time, "lower");
  const upper = store.getOffsetInQueueByTime(topic, queueId, time, "upper");
  return { kind: "time", topic, queueId, time, lower, upper };
}

function timestampLine(store: MessageStore, { topic, queueId, minOffset, maxOffset }: QueueLimits): DumpLine {
  const at = (queueOffset: number): number => store.getMessageStoreTimestamp(topic, queueId, queueOffset) ?? MISSING;
  const earliest = store.getEarliestMessageTime(topic, queueId) ?? MISSING;
  return { kind: "timestamp", topic, queueId, earliest, first: at(minOffset), last: at(maxOffset - 1), beyond: at(maxOffset) };
}

function keyLine(store: MessageStore, topic: string, key: string): DumpLine {
  const { messages } = store.queryMessage({ topic, key, maxNum: KEY_LIMIT });
  return { kind: "key", topic, key, offsets: messages.map((message) => message.physicalOffset) };
}

function lookupLine(store: MessageStore, offset: number): DumpLine {
  const message = store.lookMessageByOffset(offset);
  return { kind: "lookup", offset, msgId: message?.msgId ?? null, size: message?.size ?? null };
}
