/** `npm run load`, and what `npm start` runs: see {@link loadUsage}. */

import { UsageError } from "@millrace/cli/usage-error";
import { MessageStore } from "@millrace/store";
import { loadUsage, parseLoadOptions } from "./load-options.js";
import { runLoad } from "./load-run.js";
import { formatSummary, isGood } from "./load-summary.js";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED_TWICE = 130;

/** The first signal stops the load, which is then verified; the second ends the process. */
function interruptBySignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED_TWICE);
    console.error("interrupted: the load ends, what was acknowledged is verified");
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, interrupt);
  return controller.signal;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseLoadOptions(args);
  if (options.help) {
    console.log(loadUsage());
    return 0;
  }
  const openStore = (storeOptions: Parameters<typeof MessageStore.open>[0]): Promise<MessageStore> =>
    MessageStore.open(storeOptions);
  const summary = await runLoad(options, { openStore, print: (line) => console.log(line), interrupt: interruptBySignal() });
  console.log(formatSummary(summary));
  if (options.json) console.log(JSON.stringify(summary));
  return isGood(summary) ? 0 : EXIT_FAILED;
}

/** What the store says about its options is the user's mistake too. */
function isUsage(error: unknown): error is Error {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof UsageError || (error instanceof Error && typeof code === "string" && code.startsWith("ERR_OPTION_"));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isUsage(error)) console.error(`${loadUsage()}\n\n${error.message}`);
  else console.error(error instanceof Error ? error.message : error);
  process.exitCode = isUsage(error) ? EXIT_USAGE : EXIT_FAILED;
}
