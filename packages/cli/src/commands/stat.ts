import type { DirectoryStats, ReadOnlyMessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { bytesText, fields, print, printJson, timeText } from "../print.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";

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
  const { segments, abort, consumers, ...stats } = reader.stats();
  const queues = reader.queueStats();
  const { storePathRootDir, mappedFileSizeCommitLog, mappedFileSizeConsumeQueue } = reader.config;
  return {
    storePathRootDir,
    state: stateOf(abort),
    processId: abort?.processId,
    fence: stats.fence,
    minPhysicalOffset: reader.minPhysicalOffset,
    maxPhysicalOffset: reader.maxPhysicalOffset,
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

/** Found by its `abort` file; whether the process named in it is there. A broker of RocketMQ 4.9 leaves no name. */
function stateOf(abort: DirectoryStats["abort"]): "closed" | "open" | "killed" | "open or killed" {
  if (abort === undefined) return "closed";
  if (abort.processId === undefined) return "open or killed";
  return isAlive(abort.processId) ? "open" : "killed";
}

export function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
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
    ["durable below", facts.flushedOffset],
    ["oldest message", timeText(facts.earliestMessageTime)],
    ["segments", `${facts.segments} of ${bytesText(facts.mappedFileSizeCommitLog)}`],
    ["index files", facts.indexFiles],
    ["disk", `${bytesText(disk.freeBytes)} free of ${bytesText(disk.totalBytes)}`],
  ]);
}
