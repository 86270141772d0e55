import { existsSync } from "node:fs";
import { MessageStore } from "@millrace/store";
import { parse } from "./parse.js";
import { UsageError } from "./usage-error.js";

/** `millrace salvage`: what is good of a damaged store, in a new directory; what is not, as JSON. */
export async function salvage(args: string[]): Promise<void> {
  const { values, positionals } = parse(args, ["mappedFileSizeCommitLog", "mappedFileSizeConsumeQueue"]);
  const [storePathRootDir, target, ...rest] = positionals;
  if (storePathRootDir === undefined || target === undefined || rest.length > 0)
    throw new UsageError(`a storePathRootDir and a target are needed: given=${positionals.length}`);
  if (!existsSync(storePathRootDir)) throw new UsageError(`there is no such directory: storePathRootDir=${storePathRootDir}`);
  const sizes = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]]));
  const report = await MessageStore.salvage({ storePathRootDir, ...Object.fromEntries(sizes) }, target);
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}
