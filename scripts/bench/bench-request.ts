import { UsageError } from "../load-generator/usage-error.js";
import { type BenchOptions, parseBenchOptions } from "./bench-options.js";
import { FIGURES } from "./figure-names.js";
import { READ_CONTESTANTS } from "./read-path-job.js";
import { cellName } from "./results.js";
import { DURABILITIES, MESSAGE_SIZES, WINDOWS, wantedCells } from "./wanted-cells.js";
import { CONTESTANTS } from "./workload.js";

/**
 * What a command line asks for.
 *
 * @throws UsageError for a part of `--only` that is in no name, with the names
 */
export function parseBenchRequest(args: readonly string[]): BenchOptions {
  const options = parseBenchOptions(args);
  const readings = READ_CONTESTANTS.map((contestant) => `consume-get/${contestant}`);
  const names = [...Object.keys(FIGURES), ...readings, ...wantedCells(() => true).map(cellName)];
  const unknown = options.only.find((part) => !names.some((name) => name.includes(part)));
  if (unknown === undefined) return options;
  const workloads = [DURABILITIES, MESSAGE_SIZES, WINDOWS, CONTESTANTS].map((values) => `{${values.join(",")}}`).join("/");
  throw new UsageError(
    `nothing has this in its name: --only=${unknown}\nthere are ${Object.keys(FIGURES).join(", ")},\n${readings.join(", ")},\n${workloads}`,
  );
}
