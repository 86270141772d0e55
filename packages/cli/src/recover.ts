import { existsSync } from "node:fs";
import { MessageStore } from "@millrace/store";
import { parse } from "./parse.js";
import { onlyDirectory, UsageError } from "./usage-error.js";

/** Sizes that a store keeps for life. */
const SIZES = ["mappedFileSizeCommitLog", "mappedFileSizeConsumeQueue", "maxHashSlotNum", "maxIndexNum"] as const;

/** `millrace recover`: what an open would do, done and told. A directory that does not exist is not made. */
export async function recover(args: string[]): Promise<void> {
  const { values, positionals } = parse(args, SIZES);
  const storePathRootDir = onlyDirectory(positionals);
  if (!existsSync(storePathRootDir)) throw new UsageError(`there is no such directory: storePathRootDir=${storePathRootDir}`);
  const sizes = SIZES.filter((name) => values[name] !== undefined).map((name) => [name, Number(values[name])]);
  await using store = await MessageStore.open({
    storePathRootDir,
    ...Object.fromEntries(sizes),
    onRecoveryProgress: ({ bytesScanned, bytesTotal }) => process.stderr.write(`scanned ${bytesScanned} of ${bytesTotal} bytes\n`),
  });
  const { queueOffsets, ...report } = store.recovery;
  process.stdout.write(`${JSON.stringify({ ...report, queueOffsets: Object.fromEntries(queueOffsets) }, null, 2)}\n`);
}
