import { existsSync } from "node:fs";
import { MessageStore } from "@millrace/store";
import { parse } from "./parse.js";
import { onlyDirectory, UsageError } from "./usage-error.js";

/** `millrace unfence`: removes the mark that a failed force has left. */
export async function unfence(args: string[]): Promise<void> {
  const directory = onlyDirectory(parse(args, []).positionals);
  if (!existsSync(directory)) throw new UsageError(`there is no such directory: storePathRootDir=${directory}`);
  MessageStore.clearFence(directory);
  process.stdout.write(`not fenced: storePathRootDir=${directory}\n`);
}
