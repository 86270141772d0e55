import { setTimeout } from "node:timers/promises";
import type { MessageView, ReadOnlyMessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { interrupted } from "../interrupted.js";
import { FORMAT_ABOUT, type MessageFormat, messageFormat, printMessage } from "../message-format.js";
import { integer, QUEUE_ID_MAX } from "../option-value.js";
import { warn } from "../print.js";
import { queueMessages, queuesOf } from "../queue-messages.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";

interface TailOptions extends LogOption {
  readonly follow?: true;
  readonly lines: string;
  readonly format: string;
  readonly json?: true;
}

const LINES_MAX = 1_000_000;

/** `millrace tail`: the last messages of a topic or queue, and those that come. */
export function tailCommand(): Command {
  const command = withDirectory(new Command("tail"))
    .summary("the last messages of a topic or queue, and with -f those that come")
    .description("Prints the last messages of a topic, of all its queues in the order of the log, or of one queue.")
    .argument("<topic>", "of these messages")
    .argument("[queue]", "only this queue id")
    .option("-f, --follow", "go on with what comes, until it is interrupted; a topic that is not there yet is waited for")
    .option("-n, --lines <n>", "so many", "10")
    .option("--format <format>", FORMAT_ABOUT, "line")
    .option("--json", "as --format json")
    .action(async (directory: string, topic: string, queue: string | undefined, options: TailOptions) => {
      const queueId = queue === undefined ? undefined : integer("queue", queue, 0, QUEUE_ID_MAX);
      const lines = integer("lines", options.lines, 0, LINES_MAX);
      const format = messageFormat(options.json ? "json" : options.format);
      await using reader = await openReader(directory, options);
      const isThere = reader.queues(topic).length > 0;
      const queues = isThere || !options.follow ? queuesOf(reader, topic, queueId) : [];
      const ends = new Map(queues.map((id) => [id, reader.getMaxOffsetInQueue(topic, id)]));
      for (const message of lastMessages(reader, topic, ends, lines)) printMessage(message, format);
      if (options.follow) await follow(reader, topic, queueId, ends, format);
    });
  return withExamples(command, [
    ["tail orders-store Orders 2 -n 5", "the last five of queue 2"],
    ["tail orders-store Orders -f", "and what comes, of all queues"],
    ["tail orders-store Orders --json | jq .bodyText", "their bodies"],
  ]);
}

/** Of all queues together, in the order of the log. */
function lastMessages(
  reader: ReadOnlyMessageStore,
  topic: string,
  ends: ReadonlyMap<number, number>,
  lines: number,
): MessageView[] {
  const messages = [...ends].flatMap(([queueId, to]) => [
    ...queueMessages(reader, { topic, queueId, from: Math.max(0, to - lines), to }),
  ]);
  messages.sort((a, b) => a.physicalOffset - b.physicalOffset);
  return lines === 0 ? [] : messages.slice(-lines);
}

/** How often it is looked for queues that have come. */
const QUEUES_LOOK_MS = 500;

/** Until it is interrupted, or one queue cannot be followed: then none is, and why rejects. */
async function follow(
  reader: ReadOnlyMessageStore,
  topic: string,
  only: number | undefined,
  ends: ReadonlyMap<number, number>,
  format: MessageFormat,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([interrupted(), failed.signal]);
  const following = new Map<number, Promise<void>>();
  const begin = (queueId: number, from: number): void => {
    const printed = printFrom(reader, { topic, queueId, from, signal }, format);
    following.set(queueId, printed);
    printed.catch(() => failed.abort());
  };
  for (const [queueId, end] of ends) begin(queueId, end);
  if (only !== undefined && !following.has(only)) begin(only, 0);
  try {
    while (!signal.aborted) {
      const queues = only === undefined ? reader.queues(topic) : [];
      for (const queueId of queues) if (!following.has(queueId)) begin(queueId, 0);
      await setTimeout(QUEUES_LOOK_MS, undefined, { signal }).catch(() => {}); // aborted
    }
  } finally {
    failed.abort();
  }
  await Promise.all(following.values());
}

async function printFrom(
  reader: ReadOnlyMessageStore,
  from: { topic: string; queueId: number; from: number; signal: AbortSignal },
  format: MessageFormat,
): Promise<void> {
  for await (const batch of reader.consume({ ...from, onCorrupt: "skip" })) {
    for (const message of batch) printMessage(message, format);
    if (batch.corrupt > 0) warn(`not as they were written: messages=${batch.corrupt} topic=${from.topic} queueId=${from.queueId}`);
  }
}
