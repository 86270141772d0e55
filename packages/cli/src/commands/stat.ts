import type { ReadOnlyMessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { bytesText, fields, print, printJson, timeText } from "../print.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";
import { stateOf } from "../store-owner.js";

interface StatOptions extends LogOption {
  readonly json?: true;
}

/** `millrace stat`: whose the directory is, and how much is in it. */
export function statCommand(): Command {
  const command = withDirectory(new Command("stat"))
    .summary("whose the directory is, and how much is in it")
    .description(
      "Says who has the store open, where its log begins and ends, how many messages it holds, and whether it is fenced.",
    )
    .option("--json", "as JSON")
    .action(async (directory: string, options: StatOptions) => {
      await using reader = await openReader(directory, options);
      const facts = factsOf(reader);
      if (options.json) printJson(facts);
      else print(textOf(facts));
    });
  return withExamples(command, [
    ["stat orders-store", "beside the process that has it open"],
    ["stat orders-store --json | jq .messages", "one figure of it"],
  ]);
}

type Facts = ReturnType<typeof factsOf>;

function factsOf(reader: ReadOnlyMessageStore) {
  const directory = reader.stats();
  const { segments, abort, consumers, ...stats } = directory;
  const queues = reader.queueStats();
  const { storePathRootDir, mappedFileSizeCommitLog, mappedFileSizeConsumeQueue } = reader.config;
  return {
    storePathRootDir,
    state: stateOf(directory),
    processId: abort?.processId,
    fence: stats.fence,
    minPhysicalOffset: reader.minPhysicalOffset,
    maxPhysicalOffset: Math.max(reader.maxPhysicalOffset, stats.flushedOffset ?? 0),
    dispatchedOffset: reader.maxPhysicalOffset,
    flushedOffset: stats.flushedOffset,
    earliestMessageTime: reader.getEarliestMessageTime(),
    messages: queues.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0),
    topics: reader.topics({ systemTopics: true }).length,
    queues: queues.length,
    groups: consumers?.groupCount,
    segments: segments.length,
    segmentBytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    indexFiles: stats.indexFiles,
    mappedFileSizeCommitLog,
    mappedFileSizeConsumeQueue,
    disk: stats.disk,
  };
}

/** Readers find what the ConsumeQueues lead to; what a salvaged store or one without them holds comes there when it is opened. */
function notDispatched({ state, dispatchedOffset, maxPhysicalOffset: end }: Facts): string | undefined {
  if (dispatchedOffset >= end) return undefined;
  const remedy = state === "open" ? "" : "; no count here includes it until the store has been opened: millrace recover";
  return `from ${dispatchedOffset} on (${bytesText(end - dispatchedOffset)})${remedy}`;
}

function textOf(facts: Facts): string {
  const { fence, disk } = facts;
  const owner = facts.processId === undefined ? "" : `, process ${facts.processId}`;
  const { minPhysicalOffset: min, maxPhysicalOffset: max } = facts;
  return fields([
    ["directory", facts.storePathRootDir],
    ["state", `${facts.state}${facts.state === "closed" ? "" : owner}`],
    [
      "fence",
      fence === undefined ? undefined : `since ${timeText(fence.time)}: ${fence.reason}; look at the disk, then: millrace unfence`,
    ],
    ["messages", `${facts.messages} in ${facts.queues} queues of ${facts.topics} topics`],
    ["groups", facts.groups ?? "what they have committed cannot be read: config/consumerOffset.json"],
    ["log", `${min} to ${max} (${bytesText(max - min)})`],
    ["not dispatched", notDispatched(facts)],
    ["durable below", facts.flushedOffset],
    ["oldest message", timeText(facts.earliestMessageTime)],
    ["segments", `${facts.segments} of ${bytesText(facts.mappedFileSizeCommitLog)}`],
    ["index files", facts.indexFiles],
    ["disk", `${bytesText(disk.freeBytes)} free of ${bytesText(disk.totalBytes)}`],
  ]);
}
