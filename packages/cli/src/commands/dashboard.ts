import { serveDashboard } from "@millrace/dashboard";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { interrupted } from "../interrupted.js";
import { integer } from "../option-value.js";
import { print, printJson } from "../print.js";
import { type LogOption, openReader, withDirectory } from "../store-directory.js";

interface DashboardOptions extends LogOption {
  readonly port: string;
  readonly host: string;
  readonly token?: string;
  readonly json?: true;
}

const PORT_MAX = 65_535;

/** `millrace dashboard`: a page that shows the store, until it is interrupted. */
export function dashboardCommand(): Command {
  const command = withDirectory(new Command("dashboard"))
    .alias("top")
    .summary("a page that shows the store, live: log, queues, lags, search; until it is interrupted")
    .description(
      "Serves a page beside the process that has the store open. That process itself serves one that shows its threads, too, and what " +
        "limits them: serveDashboard(store) of @millrace/dashboard.",
    )
    .option("--port <n>", "where it is served; 0: any free port", "0")
    .option("--host <address>", "the address to listen at; others than this machine's own are reached by others", "127.0.0.1")
    .option("--token <token>", "whoever has it may look; one is drawn without it")
    .option("--json", "the address as JSON")
    .action(async (directory: string, options: DashboardOptions) => {
      const port = integer("port", options.port, 0, PORT_MAX);
      const { host, token } = options;
      await using reader = await openReader(directory, options);
      await using page = await serveDashboard(reader, { port, host, ...(token === undefined ? {} : { token }) });
      const { url } = page;
      if (options.json) printJson({ url });
      else print(`${url}\nCtrl-C ends it`);
      const signal = interrupted();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    });
  return withExamples(command, [
    ["dashboard orders-store", "prints the address to open"],
    ["dashboard orders-store --port 8080", "always at the same place"],
  ]);
}
