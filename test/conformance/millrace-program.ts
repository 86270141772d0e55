/** Millrace under the protocol of README.md: one JSON line in, one out. */
import { createInterface } from "node:readline";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import { PATIENCE } from "../support/patience.js";
import { dispatchedAll } from "../support/until.js";
import { dumpStore } from "./millrace-dump.js";
import { putMessageOf } from "./millrace-message.js";
import type { Commands, ProgramRequest, Put, PutAnswer } from "./protocol.js";

const stores = new Map<string, MessageStore>();
/** The commands of one directory run one after the other. */
const turns = new Map<string, Promise<unknown>>();

function opened(directory: string): MessageStore {
  const store = stores.get(directory);
  if (store === undefined) throw new Error(`not open: directory=${directory}`);
  return store;
}

async function put(store: MessageStore, { messages, isBatch }: Put): Promise<PutAnswer> {
  const converted = messages.map(putMessageOf);
  const [first] = converted;
  if (first === undefined) throw new Error("a put without messages");
  const { status, appendResult } = await (isBatch ? store.putMessages(converted) : store.putMessage(first));
  if (appendResult === null) return { status };
  const { wroteOffset, wroteBytes, queueOffset, storeTimestamp, msgId } = appendResult;
  return { status, offset: wroteOffset, bytes: wroteBytes, queueOffset, storeTimestamp, msgId };
}

async function settle(store: MessageStore): Promise<null> {
  await dispatchedAll(store);
  return null;
}

const commands: { [C in keyof Commands]: (args: Commands[C][0]) => Promise<Commands[C][1]> } = {
  async open({ directory, options }) {
    const settings: MessageStoreOptions = { ...PATIENCE, ...options, storePathRootDir: directory };
    const store = await MessageStore.open(settings);
    stores.set(directory, store);
    return { recovered: store.recovery.maxOffset };
  },
  async put({ directory, puts }) {
    const store = opened(directory);
    const answers: PutAnswer[] = [];
    for (const one of puts) answers.push(await put(store, one));
    return answers;
  },
  async settle({ directory }) {
    return await settle(opened(directory));
  },
  async position({ directory }) {
    return { maxOffset: opened(directory).maxPhysicalOffset };
  },
  async dump({ directory, probe }) {
    return dumpStore(opened(directory), probe);
  },
  async deleteExpired({ directory }) {
    await opened(directory).deleteExpiredFiles();
    return null;
  },
  async close({ directory }) {
    const store = opened(directory);
    stores.delete(directory);
    await store.close();
    // The rings of closed stores are garbage that V8 does not see the size of.
    globalThis.gc?.();
    return null;
  },
  async halt() {
    process.kill(process.pid, "SIGKILL");
    return await new Promise<never>(() => {});
  },
};

async function answer(request: ProgramRequest): Promise<void> {
  let text: string;
  try {
    const result = await (commands[request.command] as (args: unknown) => Promise<unknown>)(request);
    text = JSON.stringify({ id: request.id, result });
  } catch (error) {
    text = JSON.stringify({ id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.stdout.write(`${text}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as ProgramRequest;
  const directory = String(request.directory ?? "");
  const before = turns.get(directory) ?? Promise.resolve();
  turns.set(directory, request.command === "halt" ? answer(request) : before.then(() => answer(request)));
}
await Promise.all(turns.values());
for (const store of stores.values()) await store.close();
