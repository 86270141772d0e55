const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Of the command that has something to clean up. */
let controller: AbortController | undefined;

/** Aborts at the first Ctrl-C or SIGTERM, and when nobody reads what is printed any more; the second signal ends the process. */
export function interrupted(): AbortSignal {
  const own = new AbortController();
  controller = own;
  const abort = (): void => {
    for (const signal of SIGNALS) process.off(signal, abort);
    own.abort();
  };
  for (const signal of SIGNALS) process.on(signal, abort);
  return own.signal;
}

/** What the command does is of no use to anybody: it ends itself, or is ended where it has nothing to clean up. */
export function interrupt(): void {
  if (controller === undefined) process.exit();
  controller.abort();
}
