/** What the process answers with. `docs/millrace.md` has them from here. */
export const EXIT_CODES = {
  done: { code: 0, meaning: "done" },
  failed: { code: 1, meaning: "failed: code, message, meaning and remedy are on stderr; or nothing is there, or not all was put" },
  usage: { code: 2, meaning: "bad usage, or there is no such directory: nothing was done" },
  damaged: { code: 3, meaning: "done, but something in the store is not as it was written" },
} as const;

/** The worst that has been found counts. */
export function exitWith(name: keyof typeof EXIT_CODES): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), EXIT_CODES[name].code);
}
