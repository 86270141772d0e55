/** The command line is wrong: its message and the usage go to stderr, exit code 2. */
export class UsageError extends Error {}

/** The one directory that a command works on. */
export function onlyDirectory(positionals: readonly string[]): string {
  const [directory, ...rest] = positionals;
  if (directory === undefined || rest.length > 0)
    throw new UsageError(`one storePathRootDir is needed: given=${positionals.length}`);
  return directory;
}
