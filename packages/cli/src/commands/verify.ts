import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { interrupted } from "../interrupted.js";
import { bytesText, print, printJson, progress } from "../print.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";

/** `millrace verify`: every CRC, every unit, every index item against the log. */
export function verifyCommand(): Command {
  const command = withDirectory(new Command("verify"))
    .summary("every CRC of the log, every ConsumeQueue's unit, every index item; exit code 3 when something is damaged")
    .description(
      "Reads the whole store, beside the process that has it open, and names what is not as it was written. Changes nothing.",
    )
    .option("--json", "as JSON")
    .action(async (directory: string, options: LogOption & { readonly json?: true }) => {
      await using reader = await openReader(directory, options);
      const report = await reader.verify({
        signal: interrupted(),
        onProgress: ({ bytesVerified, bytesTotal }) => progress(`verified ${bytesText(bytesVerified)} of ${bytesText(bytesTotal)}`),
      });
      const { damaged, ...counts } = report;
      if (options.json) printJson(report);
      else {
        for (const { kind, path, reason, ...place } of damaged) {
          const where = Object.entries(place).map(([name, value]) => ` ${name}=${value}`);
          print(`${kind}: ${reason}: path=${path}${where.join("")}`);
        }
        print(
          `damaged ${damaged.length}; ${Object.entries(counts)
            .map(([name, count]) => `${name} ${count}`)
            .join(", ")}`,
        );
      }
      if (damaged.length > 0) exitWith("damaged");
    });
  return withExamples(command, [["verify orders-store && echo good", "exit code 0: all is as it was written"]]);
}
