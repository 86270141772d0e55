import { parseArgs } from "node:util";
import { UsageError } from "./usage-error.js";

/** `--name value` options and positionals; anything else is bad usage. */
export function parse(
  args: string[],
  names: readonly string[],
): { values: Record<string, string | undefined>; positionals: string[] } {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values: values as Record<string, string | undefined>, positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
