import { wallClockMs } from "@millrace/shared-memory";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { FORMAT_ABOUT, messageFormat, printMessage } from "../message-format.js";
import { integer } from "../option-value.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";
import { time } from "../time-value.js";

interface QueryOptions extends LogOption {
  readonly max: string;
  readonly since?: string;
  readonly until?: string;
  readonly format: string;
  readonly json?: true;
}

const MAX = 64;

/** `millrace query`: messages by key. */
export function queryCommand(): Command {
  const command = withDirectory(new Command("query"))
    .summary("the messages of a topic with a key")
    .description(
      "Prints the newest messages of a topic that have a key, or a unique key, in the order of the log, as the index finds them.",
    )
    .argument("<topic>", "of these messages")
    .argument("<key>", "one of their keys, or their unique key")
    .option("--max <n>", `so many at most, up to ${MAX}`, "32")
    .option("--since <time>", "stored then or later, as 2026-07-01T10:00:00Z, or 10m: so long ago")
    .option("--until <time>", "stored then or earlier")
    .option("--format <format>", FORMAT_ABOUT, "line")
    .option("--json", "as --format json")
    .action(async (directory: string, topic: string, key: string, options: QueryOptions) => {
      const format = messageFormat(options.json ? "json" : options.format);
      const now = wallClockMs();
      const begin = options.since === undefined ? {} : { begin: time("since", options.since, now) };
      const end = options.until === undefined ? {} : { end: time("until", options.until, now) };
      await using reader = await openReader(directory, options);
      const { messages, more } = reader.queryMessage({ topic, key, maxNum: integer("max", options.max, 1, MAX), ...begin, ...end });
      for (const message of messages) printMessage(message, format);
      if (more) process.stderr.write("there are older ones: --until goes on\n");
      if (messages.length > 0) return;
      process.stderr.write(`no message with this key: topic=${topic} key=${key}\n`);
      exitWith("failed");
    });
  return withExamples(command, [
    ["query orders-store Orders 4711-3", "who has this key"],
    ["query orders-store Orders 4711-3 --json", "as JSON"],
  ]);
}
