import { parseArgs } from "node:util";
import { integer, seconds, size } from "@millrace/cli/option-value";
import { UsageError } from "@millrace/cli/usage-error";

export const COMPARE_USAGE = [
  "usage: node scripts/dist/bench/compare.js <checkout A> <checkout B> [options]",
  "",
  "Puts the same load into the stores of two built checkouts, in interleaved rounds, each in a process of its own: rate, latency, and",
  "CPU per message of each thread. The driver is that of the checkout the command is of, for both.",
  "",
  "  --rounds <n>        figures are medians (5)",
  "  --seconds <time>    length of a measurement (2s)",
  "  --warm-up <time>    before it (2s)",
  "  --size <bytes>      of a body (128)",
  "  --in-flight <n>     puts in flight (1024)",
  "  --keys              a key and a tag in each message",
  '  --options <json>    of both stores, as {"flushDiskType":"SYNC_FLUSH"}',
  "  --directory <path>  where to write, on the disk that is to be measured (.bench in the project)",
  "  --help              print this",
].join("\n");

/** What is put, and for how long. */
export interface ComparedLoad {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly messageSize: number;
  readonly inFlight: number;
  readonly keys: boolean;
  /** Of the store; as its checkout takes them. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface CompareRequest {
  readonly checkouts: readonly [string, string];
  readonly rounds: number;
  readonly load: ComparedLoad;
  readonly directory: string | undefined;
}

/** undefined: help is wanted. @throws UsageError for what cannot be done */
export function parseCompareRequest(args: readonly string[]): CompareRequest | undefined {
  const text = { type: "string" } as const;
  const parsed = parse(() =>
    parseArgs({
      args: [...args],
      options: {
        rounds: text,
        seconds: text,
        "warm-up": text,
        size: text,
        "in-flight": text,
        keys: { type: "boolean" },
        options: text,
        directory: text,
        help: { type: "boolean", short: "h" },
      },
      allowPositionals: true,
    }),
  );
  const { values, positionals } = parsed;
  if (values.help === true) return undefined;
  const [a, b, ...more] = positionals;
  if (a === undefined || b === undefined || more.length > 0) throw new UsageError("two checkouts are needed");
  return {
    checkouts: [a, b],
    rounds: integer("rounds", values.rounds ?? "5", 1, 100),
    load: {
      seconds: seconds("seconds", values.seconds ?? "2s", 0.1, 60),
      warmUpSeconds: seconds("warm-up", values["warm-up"] ?? "2s", 0.1, 60),
      messageSize: size("size", values.size ?? "128", 1, 1024 * 1024),
      inFlight: integer("in-flight", values["in-flight"] ?? "1024", 1, 65_536),
      keys: values.keys === true,
      options: parse(() => JSON.parse(values.options ?? "{}")),
    },
    directory: values.directory,
  };
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
