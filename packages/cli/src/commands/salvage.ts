import { MessageStore } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { interrupted } from "../interrupted.js";
import { printJson } from "../print.js";
import { damagedStoreOptions, type SizeOptions, withSizes } from "../store-directory.js";

/** `millrace salvage`: what is good of a damaged store, in a new directory; what is not, as JSON. */
export function salvageCommand(): Command {
  const command = withSizes(new Command("salvage"))
    .summary("write what is good of a damaged store to a new directory, and print what is lost as JSON")
    .description(
      "Copies every record that is good, each to where it was. The damaged store is not changed; nobody may have it open. Exit code 3: " +
        "the target lacks something of it.",
    )
    .argument("<target>", "a directory that is not there yet, or empty")
    .option("--json", "as it always prints")
    .action(async (directory: string, target: string, options: SizeOptions) => {
      const signal = interrupted();
      const report = await MessageStore.salvage({ ...damagedStoreOptions(directory, options), signal }, target);
      printJson(report);
      if (report.lost.length > 0 || report.unreadable.length > 0) exitWith("damaged");
    });
  return withExamples(command, [["salvage orders-store orders-salvaged", "then open the target"]]);
}
