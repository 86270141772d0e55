import type { QueueStats, ReadOnlyMessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { print, printJson, table, timeText } from "../print.js";
import { queuesOf } from "../queue-messages.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";

interface TopicsOptions extends LogOption {
  readonly system?: true;
  readonly json?: true;
}

/** `millrace topics`: how many messages each topic has; of one topic, each queue. */
export function topicsCommand(): Command {
  const command = withDirectory(new Command("topics"))
    .summary("how many messages each topic has, or each queue of one")
    .description("Lists the topics with the messages that are still there. With a topic, its queues: where each begins and ends.")
    .argument("[topic]", "only this one, queue by queue")
    .option("--system", "the topics of delayed and prepared messages, too")
    .option("--json", "as JSON")
    .action(async (directory: string, topic: string | undefined, options: TopicsOptions) => {
      await using reader = await openReader(directory, options);
      if (topic === undefined) showTopics(reader, options);
      else showQueues(reader, topic, options);
    });
  return withExamples(command, [
    ["topics orders-store", "all topics"],
    ["topics orders-store Orders", "the queues of one"],
  ]);
}

function showTopics(reader: ReadOnlyMessageStore, { system, json }: TopicsOptions): void {
  const queues = reader.queueStats();
  const rows = reader.topics({ systemTopics: system === true }).map((topic) => {
    const own = queues.filter((queue) => queue.topic === topic);
    return { topic, queues: own.length, messages: own.reduce((sum, queue) => sum + messagesOf(queue), 0) };
  });
  if (json) return printJson(rows);
  print(
    table(
      ["TOPIC", "QUEUES", "MESSAGES"],
      rows.map(({ topic, queues: count, messages }) => [topic, count, messages]),
    ),
  );
}

function showQueues(reader: ReadOnlyMessageStore, topic: string, { json }: TopicsOptions): void {
  queuesOf(reader, topic, undefined);
  const rows = reader
    .queueStats()
    .filter((queue) => queue.topic === topic)
    .map(({ lag: _, ...queue }) => ({ ...queue, messages: messagesOf(queue), ...timesOf(reader, queue) }));
  if (json) return printJson(rows);
  print(
    table(
      ["QUEUE", "MIN", "MAX", "MESSAGES", "FIRST STORED", "LAST STORED"],
      rows.map((row) => [
        row.queueId,
        row.minOffset,
        row.maxOffset,
        row.messages,
        timeText(row.firstStored),
        timeText(row.lastStored),
      ]),
    ),
  );
}

function messagesOf({ minOffset, maxOffset }: Pick<QueueStats, "minOffset" | "maxOffset">): number {
  return maxOffset - minOffset;
}

/** Milliseconds; undefined for a queue whose messages have all gone. */
function timesOf(reader: ReadOnlyMessageStore, { topic, queueId, minOffset, maxOffset }: Omit<QueueStats, "lag">) {
  return {
    firstStored: reader.getMessageStoreTimestamp(topic, queueId, minOffset),
    lastStored: reader.getMessageStoreTimestamp(topic, queueId, maxOffset - 1),
  };
}
