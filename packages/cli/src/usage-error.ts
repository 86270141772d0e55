/** The command line is wrong: the reason goes to stderr with the usage, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
