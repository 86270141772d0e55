import { ERROR_CODES, type MessageStore, type MessageView, MillraceError, type ReadOnlyMessageStore } from "@millrace/store";
import { decodedRecord, foundMessage } from "./decoded-record.js";
import type { SearchAnswer } from "./found-message.js";

type AnyStore = MessageStore | ReadOnlyMessageStore;
type Answer = (store: AnyStore, request: URLSearchParams) => SearchAnswer;

/** By the parameter `by`: what a search asks for. */
const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["key", byKey],
  ["id", (store, request) => found(store.lookMessageById(textOf(request, "id").toUpperCase()))],
  ["physicalOffset", (store, request) => found(store.lookMessageByOffset(offsetOf(request, "offset")))],
  ["queueOffset", byQueueOffset],
]);

/** Answers a search; what the store refuses is an answer too, with its code and what helps. */
export function searchMessages(store: AnyStore, request: URLSearchParams): SearchAnswer {
  const answer = ANSWERS.get(request.get("by") ?? "");
  return attempt(() => {
    if (answer === undefined) throw illegal(`a search is by ${[...ANSWERS.keys()].join(", ")}`);
    return answer(store, request);
  });
}

/** One record with its bytes, by its physical offset. */
export function readRecord(store: AnyStore, request: URLSearchParams): SearchAnswer {
  return attempt(() => {
    const message = store.lookMessageByOffset(offsetOf(request, "offset"));
    return message === undefined ? {} : { record: decodedRecord(message) };
  });
}

function byKey(store: AnyStore, request: URLSearchParams): SearchAnswer {
  const { messages, more } = store.queryMessage({ topic: textOf(request, "topic"), key: textOf(request, "key") });
  return { messages: messages.map(foundMessage).reverse(), more };
}

function byQueueOffset(store: AnyStore, request: URLSearchParams): SearchAnswer {
  const [topic, queueId, queueOffset] = [textOf(request, "topic"), offsetOf(request, "queueId"), offsetOf(request, "offset")];
  using result = store.getMessage({ topic, queueId, queueOffset, maxMessages: 1 });
  const [message] = result.copyMessages();
  return found(message?.queueOffset === queueOffset ? message : undefined);
}

function found(message: MessageView | undefined): SearchAnswer {
  return { messages: message === undefined ? [] : [foundMessage(message)], more: false };
}

function attempt(answer: () => SearchAnswer): SearchAnswer {
  try {
    return answer();
  } catch (error) {
    const { code = "", message = String(error) } = error as { code?: string; message?: string };
    const remedy = (ERROR_CODES as Readonly<Record<string, { readonly remedy: string }>>)[code]?.remedy;
    return { error: { code, message, remedy } };
  }
}

function textOf(request: URLSearchParams, name: string): string {
  return request.get(name)?.trim() ?? "";
}

function offsetOf(request: URLSearchParams, name: string): number {
  const text = textOf(request, name);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw illegal(`an offset is an integer of at least 0: ${name}=${JSON.stringify(text)}`);
}

function illegal(message: string): MillraceError {
  return new MillraceError("ERR_QUERY_ILLEGAL", message);
}
