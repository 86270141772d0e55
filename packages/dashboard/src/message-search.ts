import { isUtf8 } from "node:buffer";
import type { MessageView } from "@millrace/store";
import { MillraceError } from "@millrace/store";
import type { ShownStore } from "./frame-source.js";

/** A record as the page shows it: its fields, and its body. */
interface FoundMessage {
  readonly fields: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly bodyText: string | undefined;
  /** Of the first bytes of the body. */
  readonly bodyHex: string;
  readonly bodyLength: number;
}

export interface SearchAnswer {
  readonly messages: readonly FoundMessage[];
  /** Why there are none. */
  readonly error: string | undefined;
}

const SHOWN_BODY = 4096;
const MOST = 32;

/**
 * Finds messages for the page's form: `by=key` with `topic` and `value`; `by=id` with `value`; `by=offset` with `topic`, `queueId` and
 * `value`.
 */
export function searchMessages(store: ShownStore, query: URLSearchParams): SearchAnswer {
  try {
    const messages = found(store, query);
    return { messages: messages.map(shown), error: messages.length === 0 ? "There is no such message." : undefined };
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return { messages: [], error: `${error.code}: ${error.message}` };
  }
}

function found(store: ShownStore, query: URLSearchParams): readonly MessageView[] {
  const value = query.get("value") ?? "";
  const topic = query.get("topic") ?? "";
  switch (query.get("by")) {
    case "id":
      return [store.lookMessageById(value)].filter((message) => message !== undefined);
    case "offset": {
      const request = { topic, queueId: Number(query.get("queueId") ?? 0), queueOffset: value === "" ? Number.NaN : Number(value) };
      using result = store.getMessage({ ...request, maxMessages: 1 });
      return result.messages[0]?.queueOffset === request.queueOffset ? result.copyMessages() : [];
    }
    default:
      return store.queryMessage({ topic, key: value, maxNum: MOST }).messages;
  }
}

function shown(message: MessageView): FoundMessage {
  const { body, properties: _, ...plain } = message.toObject();
  const bytes = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, SHOWN_BODY));
  const times = {
    bornTimestamp: new Date(plain.bornTimestamp).toISOString(),
    storeTimestamp: new Date(plain.storeTimestamp).toISOString(),
  };
  const hosts = { bornHost: hostText(plain.bornHost), storeHost: hostText(plain.storeHost) };
  const fields = Object.entries({ ...plain, ...times, ...hosts, keys: plain.keys.join(" "), tags: plain.tags ?? "" });
  return {
    fields: Object.fromEntries(fields.map(([name, value]) => [name, String(value)])),
    properties: message.toObject().properties,
    bodyText: body.length <= SHOWN_BODY && isUtf8(bytes) ? bytes.toString() : undefined,
    bodyHex: bytes.toString("hex"),
    bodyLength: body.length,
  };
}

function hostText({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
