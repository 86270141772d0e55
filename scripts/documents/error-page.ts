import { ERROR_CODES, type ErrorCodeText } from "@millrace/format";

const HEAD = `# Errors

Every error that Millrace throws or rejects with is a \`MillraceError\`. Its \`code\` is one of those below, and is stable; its message is
one line that names the values; \`outcome\` says whether the message may be in the log (\`unknown\`) or is not (\`none\`). A put that was
refused resolves instead, with \`code\` and \`reason\` in its result. The table is \`ERROR_CODES\` in \`@millrace/store\`; the command
\`millrace\` prints its two sentences after the message.

This page is made by \`npm run docs\`.
`;

/** `docs/errors.md`: each code with its two sentences. */
export function errorPage(codes: Readonly<Record<string, ErrorCodeText>> = ERROR_CODES): string {
  const entries = Object.entries(codes).map(([code, { meaning, remedy }]) => `## ${code}\n\n${meaning}\n\n${remedy}\n`);
  return [HEAD, ...entries].join("\n");
}
