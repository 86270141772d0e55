import { UsageError } from "@millrace/cli/usage-error";
import { checkReportOptions } from "../load-generator/report-page.js";
import { readBenchRecord } from "./bench-page.js";
import { CONTESTANTS } from "./contestants/workload.js";
import { type BenchOptions, parseBenchOptions } from "./figures/bench-options.js";
import { CONSUME_GET } from "./figures/consume-get-figure.js";
import { FIGURES, figureNames } from "./figures/figures.js";
import { figuresNeed } from "./figures/figures-to-reach.js";
import { DURABILITIES, MESSAGE_SIZES, WINDOWS } from "./figures/wanted-cells.js";

/**
 * What a command line asks for.
 *
 * @throws UsageError for a part of `--only` that is in no name, with the names; for an earlier run that cannot be read
 */
export function parseBenchRequest(args: readonly string[]): BenchOptions {
  const asked = parseBenchOptions(args);
  checkReportOptions(asked);
  if (asked.compare !== undefined) readBenchRecord(asked.compare); // before anything is measured
  const options = asked.figures ? { ...asked, only: figuresNeed() } : asked;
  const names = figureNames();
  const unknown = options.only.find((part) => !names.some((name) => name.includes(part)));
  if (unknown === undefined) return options;
  const workloads = [DURABILITIES, MESSAGE_SIZES, WINDOWS, CONTESTANTS].map((values) => `{${values.join(",")}}`).join("/");
  const figures = FIGURES.map(({ name }) => name).join(", ");
  const readings = (CONSUME_GET.parts ?? []).join(", ");
  throw new UsageError(`nothing has this in its name: --only=${unknown}\nthere are ${figures},\n${readings},\n${workloads}`);
}
