import { MessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { print, printJson } from "../print.js";
import { checkDirectory, checkRoot, type LogOption, logOption, withDirectory } from "../store-directory.js";

interface UnfenceOptions extends LogOption {
  readonly json?: true;
}

/** `millrace unfence`: removes the mark that a failed force has left. */
export function unfenceCommand(): Command {
  const command = withDirectory(new Command("unfence"))
    .summary("let a store take puts again after a failed force: look at the disk first")
    .description("Lifts the fence of a store that nobody has open. The next opening writes again what was not known to be durable.")
    .option("--json", "as JSON")
    .action((directory: string, { json, ...options }: UnfenceOptions) => {
      checkDirectory(directory);
      if (options.storePathCommitLog !== undefined) checkRoot(directory);
      const wasFenced = MessageStore.clearFence(directory, logOption(options));
      if (json) printJson({ storePathRootDir: directory, wasFenced, isFenced: false });
      else print(`${wasFenced ? "the fence is lifted" : "there was no fence"}: storePathRootDir=${directory}`);
    });
  return withExamples(command, [["unfence orders-store", "once the disk has been looked at"]]);
}
