import { type RecordField, recordFields } from "@millrace/format";
import type { MessageView } from "@millrace/store";
import type { DecodedRecord, FoundMessage } from "./found-message.js";

/** Of a long record; what is left out is in the log, and `millrace cat` shows it. */
const BYTES_SHOWN = 16 * 1024;
const TEXT_SHOWN = 4096;

export function foundMessage(message: MessageView): FoundMessage {
  const { topic, queueId, queueOffset, physicalOffset, msgId, size, storeTimestamp, keys, tags } = message;
  return { topic, queueId, queueOffset, physicalOffset, msgId, size, storeTimestamp, keys, tags };
}

export function decodedRecord(message: MessageView): DecodedRecord {
  const { record } = message;
  const fields = recordFields(record).map((field) => ({ ...field, value: shown(field) }));
  return { message: foundMessage(message), fields, bytes: record.subarray(0, BYTES_SHOWN).toString("base64") };
}

function shown({ name, value }: RecordField): string {
  if (value instanceof Uint8Array) return bodyText(value);
  if (name.endsWith(" timestamp")) return `${value}  ${new Date(value as number).toISOString()}`;
  if (name === "magic" || name === "sys flag") return `0x${((value as number) >>> 0).toString(16)}`;
  return String(value);
}

/** As text where it is text, otherwise how long it is: the bytes are shown beside it. */
function bodyText(body: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body.subarray(0, TEXT_SHOWN), { stream: true });
    return body.length > TEXT_SHOWN ? `${text}…` : text;
  } catch {
    return `${body.length} bytes, no text`;
  }
}
