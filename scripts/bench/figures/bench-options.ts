import { parseArgs } from "node:util";
import { integer, seconds } from "@millrace/cli/option-value";
import { UsageError } from "@millrace/cli/usage-error";
import { ROCKETMQ_SERIES, type RocketMqSeries } from "../java/java-toolchain.js";

export interface BenchOptions {
  readonly rounds: number;
  /** Per measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Only what the figures to reach need. */
  readonly figures: boolean;
  /** Parts of names; empty: everything. */
  readonly only: readonly string[];
  readonly directory: string | undefined;
  readonly output: string | undefined;
  /** Path of the HTML; undefined: none. */
  readonly report: string | undefined;
  /** Path of an earlier run's JSON. */
  readonly compare: string | undefined;
  /** What is measured, where Git cannot say. */
  readonly commit: string | undefined;
  readonly quick: boolean;
  /** Of log, while which the dispatcher must keep up, and that is opened. */
  readonly gib: number;
  /** Version of the Java store. */
  readonly rocketmq: RocketMqSeries;
  readonly help: boolean;
}

/** Until the put path is compiled, and the kernel writes back what comes. */
const WARM_UP_SECONDS = 2;

export function parseBenchOptions(args: readonly string[]): BenchOptions {
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...args],
      options: {
        figures: { type: "boolean" },
        quick: { type: "boolean" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        only: { type: "string" },
        directory: { type: "string" },
        output: { type: "string" },
        report: { type: "string" },
        compare: { type: "string" },
        commit: { type: "string" },
        gib: { type: "string" },
        rocketmq: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const quick = values.quick === true;
  const rounds = text("rounds");
  const length = text("seconds");
  const only = text("only");
  const gib = text("gib");
  const rocketmq = ROCKETMQ_SERIES.find((series) => series === (text("rocketmq") ?? "5"));
  if (rocketmq === undefined)
    throw new UsageError(`one of ${ROCKETMQ_SERIES.join(" or ")} is needed: --rocketmq=${text("rocketmq")}`);
  return {
    quick,
    figures: values.figures === true,
    rounds: rounds === undefined ? (quick ? 1 : 5) : integer("rounds", rounds, 1, 100),
    seconds: length === undefined ? (quick ? 0.3 : 2) : seconds("seconds", length, 0.1, 60),
    warmUpSeconds: quick ? 0.2 : WARM_UP_SECONDS,
    only: only === undefined ? [] : only.split(",").filter((part) => part !== ""),
    directory: text("directory"),
    output: text("output"),
    report: text("report"),
    compare: text("compare"),
    commit: text("commit"),
    gib: gib === undefined ? (quick ? 0.5 : 2) : integer("gib", gib, 1, 100),
    rocketmq,
    help: values.help === true,
  };
}
