import { wallClockMs } from "@millrace/shared-memory";
import type { MessageView, ReadOnlyMessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { FORMAT_ABOUT, messageFormat, printMessage } from "../message-format.js";
import { integer, QUEUE_ID_MAX } from "../option-value.js";
import { isUnread } from "../print.js";
import { queueMessages, queuesOf } from "../queue-messages.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";
import { time } from "../time-value.js";
import { UsageError } from "../usage-error.js";

interface CatOptions extends LogOption {
  readonly from?: string;
  readonly to?: string;
  readonly since?: string;
  readonly until?: string;
  readonly tags?: string;
  readonly key?: string;
  readonly id?: string;
  readonly at?: string;
  readonly max?: string;
  readonly format: string;
  readonly json?: true;
}

/** `millrace cat`: messages by place, time, key or id. */
export function catCommand(): Command {
  const command = withDirectory(new Command("cat"))
    .summary("messages by queue offset, time, key, id or physical offset")
    .description(
      "Prints messages of a topic, queue by queue in the order of their queue offsets; or the one with an id or at an offset.",
    )
    .argument("[topic]", "of these messages; not with --id or --at")
    .argument("[queue]", "only this queue id")
    .option("--from <n>", "first queue offset")
    .option("--to <n>", "last queue offset, inclusive")
    .option("--since <time>", "stored then or later, as 2026-07-01T10:00:00Z, or 10m: so long ago")
    .option("--until <time>", "stored then or earlier")
    .option("--tags <tags>", "only messages with one of these tags, with commas between them")
    .option("--key <key>", "only messages with this key, or unique key: all are read, where query asks the index")
    .option("--id <msgId>", "the message with this id")
    .option("--at <offset>", "the message whose record begins at this physical offset")
    .option("--max <n>", "no more than so many")
    .option("--format <format>", FORMAT_ABOUT, "line")
    .option("--json", "as --format json")
    .action(async (directory: string, topic: string | undefined, queue: string | undefined, options: CatOptions) => {
      const format = messageFormat(options.json ? "json" : options.format);
      const queueId = queue === undefined ? undefined : integer("queue", queue, 0, QUEUE_ID_MAX);
      let left = options.max === undefined ? Number.POSITIVE_INFINITY : integer("max", options.max, 1, Number.MAX_SAFE_INTEGER);
      await using reader = await openReader(directory, options);
      const messages = topic === undefined ? oneMessage(reader, options) : messagesOf(reader, topic, queueId, options);
      for (const message of messages) {
        printMessage(message, format);
        if (--left === 0 || isUnread()) break;
      }
    });
  return withExamples(command, [
    ["cat orders-store Orders 2 --from 100 --to 199", "a range of queue 2"],
    ["cat orders-store Orders --since 10m --format json", "the last ten minutes, of all queues"],
    ["cat orders-store --id C0A80001000078A00000000000000000", "one message by its id"],
  ]);
}

function* messagesOf(
  reader: ReadOnlyMessageStore,
  topic: string,
  only: number | undefined,
  options: CatOptions,
): Generator<MessageView> {
  if (options.id !== undefined || options.at !== undefined)
    throw new UsageError("an id or an offset names one message: leave the topic out");
  const filter = options.tags === undefined ? {} : { filter: { tags: options.tags.split(",") } };
  const now = wallClockMs();
  const until = options.until === undefined ? Number.POSITIVE_INFINITY : time("until", options.until, now);
  for (const queueId of queuesOf(reader, topic, only)) {
    const since =
      options.since === undefined ? 0 : reader.getOffsetInQueueByTime(topic, queueId, time("since", options.since, now));
    const from = Math.max(since, offset("from", options.from, 0));
    const to = Math.min(reader.getMaxOffsetInQueue(topic, queueId), offset("to", options.to, Number.MAX_SAFE_INTEGER - 1) + 1);
    for (const message of queueMessages(reader, { topic, queueId, from, to, ...filter })) {
      if (message.storeTimestamp > until) break;
      if (options.key !== undefined && !hasKey(message, options.key)) continue;
      if (options.since === undefined || message.storeTimestamp >= time("since", options.since, now)) yield message;
    }
  }
}

function hasKey({ keys, uniqKey }: MessageView, key: string): boolean {
  return keys.includes(key) || uniqKey === key;
}

function* oneMessage(reader: ReadOnlyMessageStore, { id, at }: CatOptions): Generator<MessageView> {
  if ((id === undefined) === (at === undefined)) throw new UsageError("a topic, --id or --at says which messages");
  const message = id !== undefined ? reader.lookMessageById(id) : reader.lookMessageByOffset(offset("at", at, 0));
  if (message !== undefined) yield message;
  else {
    process.stderr.write(`the store has no such message: ${id === undefined ? `at=${at}` : `id=${id}`}\n`);
    exitWith("failed");
  }
}

function offset(name: string, text: string | undefined, standard: number): number {
  return text === undefined ? standard : integer(name, text, 0, Number.MAX_SAFE_INTEGER - 1);
}
