import { wallClockMs } from "@millrace/shared-memory";
import { consumerLags } from "@millrace/stats";
import { type BoundaryType, MessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { interrupted } from "../interrupted.js";
import { integer, QUEUE_ID_MAX } from "../option-value.js";
import { print, printJson, table } from "../print.js";
import { queuesOf } from "../queue-messages.js";
import {
  LOOKED_AFTER,
  type LogOption,
  openReader,
  type SizeOptions,
  storeOptions,
  withDirectory,
  withSizes,
} from "../store-directory.js";
import { time } from "../time-value.js";
import { UsageError } from "../usage-error.js";

interface ListOptions extends LogOption {
  readonly group?: string;
  readonly json?: true;
}

interface ResetOptions extends SizeOptions {
  readonly to: string;
  readonly queue?: string;
  readonly json?: true;
}

const BOUNDARY: BoundaryType = "lower";

/** `millrace offsets`: how far the consumer groups have come, and where they begin again. */
export function offsetsCommand(): Command {
  return new Command("offsets")
    .summary("how far the consumer groups have come: list, reset, delete")
    .description(
      "What consumer groups have committed: to be looked at beside the process that has the store open, or changed in its absence.",
    )
    .addCommand(listCommand())
    .addCommand(resetCommand())
    .addCommand(deleteCommand());
}

function listCommand(): Command {
  const command = withDirectory(new Command("list"))
    .summary("each group's offset in each queue, and how many messages it lags")
    .description(
      "Lists what each group has committed, as it was saved last, the end of the queue, and how many messages lie between.",
    )
    .argument("[topic]", "only this one")
    .option("--group <group>", "only this one")
    .option("--json", "as JSON")
    .action(async (directory: string, topic: string | undefined, options: ListOptions) => {
      await using reader = await openReader(directory, options);
      const rows = consumerLags(reader.consumerOffsets, reader.queueStats()).filter(
        (row) => isWanted(row.topic, topic) && isWanted(row.group, options.group),
      );
      if (options.json) return printJson(rows);
      print(
        table(
          ["GROUP", "TOPIC", "QUEUE", "OFFSET", "END", "LAG"],
          rows.map((row) => [row.group, row.topic, row.queueId, row.offset, row.maxOffset, row.lag]),
        ),
      );
    });
  return withExamples(command, [
    ["offsets list orders-store", "who lags"],
    ["offsets list orders-store Orders --group billing", "one group in one topic"],
  ]);
}

function resetCommand(): Command {
  const command = withSizes(new Command("reset"))
    .summary("where a group goes on in a topic: earliest, latest, a queue offset, a time")
    .description(
      "Commits for a group, in a store that nobody has open, where it is to go on; the last commit counts, a lower one too.",
    )
    .argument("<group>", "the consumer group")
    .argument("<topic>", "the topic")
    .requiredOption("--to <place>", "earliest, latest, a queue offset, or a time, as 2026-07-01T10:00:00Z or 10m: so long ago")
    .option("--queue <id>", "only this queue")
    .option("--json", "as JSON")
    .action(async (directory: string, group: string, topic: string, options: ResetOptions) => {
      const queue = options.queue === undefined ? undefined : integer("queue", options.queue, 0, QUEUE_ID_MAX);
      const place = placeOf(options.to);
      await using store = await MessageStore.open({ ...storeOptions(directory, options), ...LOOKED_AFTER, signal: interrupted() });
      const rows = queuesOf(store, topic, queue).map((queueId) => {
        const before = store.consumerOffsets.get(group, topic, queueId);
        return { group, topic, queueId, before, offset: place(store, topic, queueId) };
      });
      for (const { queueId, offset } of rows) store.consumerOffsets.commit(group, topic, queueId, offset);
      await store.consumerOffsets.persist();
      if (options.json) printJson(rows);
      else
        print(
          table(
            ["QUEUE", "BEFORE", "NOW"],
            rows.map((row) => [row.queueId, row.before, row.offset]),
          ),
        );
    });
  return withExamples(command, [
    ["offsets reset orders-store billing Orders --to earliest", "all that is still there, once more"],
    ["offsets reset orders-store billing Orders --to 2h --queue 2", "the last two hours of queue 2"],
  ]);
}

function deleteCommand(): Command {
  const command = withSizes(new Command("delete"))
    .summary("forget all that a group has committed")
    .description("Forgets a group, in a store that nobody has open: it begins again without offsets.")
    .argument("<group>", "the consumer group")
    .option("--json", "as JSON")
    .action(async (directory: string, group: string, options: SizeOptions & { readonly json?: true }) => {
      await using store = await MessageStore.open({ ...storeOptions(directory, options), ...LOOKED_AFTER, signal: interrupted() });
      const isDeleted = store.consumerOffsets.deleteGroup(group);
      await store.consumerOffsets.persist();
      if (options.json) printJson({ group, isDeleted });
      else print(isDeleted ? `forgotten: group=${group}` : `the group has committed nothing: group=${group}`);
      if (!isDeleted) exitWith("failed");
    });
  return withExamples(command, [["offsets delete orders-store billing", "it begins again without offsets"]]);
}

function isWanted(name: string, wanted: string | undefined): boolean {
  return wanted === undefined || name === wanted;
}

type Place = (store: MessageStore, topic: string, queueId: number) => number;

/** Read before a store is opened for it. @throws UsageError it is none, or, when it is looked up, the queue ends before it */
function placeOf(text: string): Place {
  if (text === "earliest") return (store, topic, queueId) => store.getMinOffsetInQueue(topic, queueId);
  if (text === "latest") return (store, topic, queueId) => store.getMaxOffsetInQueue(topic, queueId);
  if (!/^\d{1,10}$/.test(text)) {
    const at = time("to", text, wallClockMs());
    return (store, topic, queueId) => store.getOffsetInQueueByTime(topic, queueId, at, BOUNDARY);
  }
  return (store, topic, queueId) => {
    if (Number(text) <= store.getMaxOffsetInQueue(topic, queueId)) return Number(text);
    throw new UsageError(`the queue ends before that: topic=${topic} queueId=${queueId} --to=${text}`);
  };
}
