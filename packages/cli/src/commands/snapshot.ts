import { MessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { interrupted } from "../interrupted.js";
import { bytesText, printJson, progress } from "../print.js";
import { LOOKED_AFTER, type SizeOptions, storeOptions, withSizes } from "../store-directory.js";

/** `millrace snapshot`: a consistent copy of a store that nobody has open. */
export function snapshotCommand(): Command {
  const command = withSizes(new Command("snapshot"))
    .summary("a consistent copy of a store that nobody has open, and what it holds as JSON")
    .description("Opens the store and copies it, as store.snapshot does, which a process that has it open calls itself.")
    .argument("<target>", "a directory that is not there yet, or empty")
    .option("--json", "as it always prints")
    .action(async (directory: string, target: string, options: SizeOptions) => {
      const signal = interrupted();
      await using store = await MessageStore.open({ ...storeOptions(directory, options), ...LOOKED_AFTER, signal });
      const report = await store.snapshot(target, {
        signal,
        onProgress: ({ bytesCopied }) => progress(`copied ${bytesText(bytesCopied)}`),
      });
      printJson(report);
    });
  return withExamples(command, [["snapshot orders-store /backup/orders-2026-07-01", "moved back, it is the store again"]]);
}
