import { isUtf8 } from "node:buffer";
import type { MessageView } from "@millrace/store";
import { print } from "./print.js";
import { UsageError } from "./usage-error.js";

/** How a message is shown. */
const MESSAGE_FORMATS = ["line", "json", "hex", "body"] as const;
export type MessageFormat = (typeof MESSAGE_FORMATS)[number];

export const FORMAT_ABOUT = "line: one line each; json: one object a line; hex: with its body in hexadecimal; body: nothing else";
const SHOWN_BODY = 200;
const HEX_COLUMNS = 16;

/** @throws UsageError */
export function messageFormat(text: string): MessageFormat {
  const format = MESSAGE_FORMATS.find((known) => known === text);
  if (format === undefined) throw new UsageError(`${MESSAGE_FORMATS.join(", ")} are known: --format=${text}`);
  return format;
}

export function printMessage(message: MessageView, format: MessageFormat): void {
  switch (format) {
    case "json":
      return print(JSON.stringify(messageJson(message)));
    case "hex":
      return print(`${lineOf(message, "")}\n${hexDump(message.body)}`);
    case "body":
      process.stdout.write(Buffer.concat([message.body, Buffer.from("\n")]));
      return;
    default:
      return print(lineOf(message, ` ${shownBody(message.body)}`));
  }
}

/** As `JSON.stringify` has it, the body in base64; and as text where it is some. */
function messageJson(message: MessageView): object {
  const { body } = message;
  return { ...message.toJSON(), ...(isUtf8(body) ? { bodyText: body.toString() } : {}) };
}

function lineOf(message: MessageView, end: string): string {
  const { topic, queueId, queueOffset, storeTimestamp, msgId, tags, keys } = message;
  const words = [new Date(storeTimestamp).toISOString(), `${topic}/${queueId}`, `#${queueOffset}`, msgId];
  if (tags !== undefined) words.push(`tags=${shownWord(tags)}`);
  if (keys.length > 0) words.push(`keys=${keys.map(shownWord).join(",")}`);
  return words.join(" ") + end;
}

/** What would break the line, or give the terminal orders, is escaped. */
function shownWord(text: string): string {
  return /\p{Cc}/u.test(text) ? quoted(text) : text;
}

/** JSON, without the control characters that it leaves. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/\p{Cc}/gu, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** On one line; what is no text in hexadecimal. */
function shownBody(body: Buffer): string {
  const text = body.subarray(0, SHOWN_BODY);
  const more = body.length > SHOWN_BODY ? `… (${body.length} bytes)` : "";
  // A character may be cut in two.
  const isText = isUtf8(body.length > SHOWN_BODY ? text.subarray(0, lastWhole(text)) : text);
  if (!isText) return `0x${text.toString("hex")}${more}`;
  return quoted(text.subarray(0, body.length > SHOWN_BODY ? lastWhole(text) : text.length).toString()) + more;
}

/** Where the last whole character ends: a continuation byte is 0b10…… */
function lastWhole(text: Buffer): number {
  let end = text.length;
  while (end > 0 && ((text[end - 1] as number) & 0xc0) === 0x80) end--;
  return Math.max(0, end - 1);
}

function hexDump(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_COLUMNS) {
    const row = bytes.subarray(at, at + HEX_COLUMNS);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.toString("latin1").replace(/[^\x20-\x7e]/g, ".");
    lines.push(`  ${at.toString(16).padStart(6, "0")}  ${hex.padEnd(3 * HEX_COLUMNS - 1)}  ${text}`);
  }
  return lines.join("\n");
}
