import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundledStore } from "./bundled-store.js";
import { projectRoot } from "./project-root.js";

const LIMIT_MS = 40_000;
const FENCE = /^( *)```(?:ts|js)\b *(.*)$/;
const DIAGNOSTIC = /^(snippet-\d+)\.ts\((\d+),\d+\): (.*)$/;

/** What a fragment can name: a store with some messages in queue 0 of `Orders`, and messages to put. */
const CONTEXT = `
import { type Message, MessageStore } from "@millrace/store";
export { MessageStore, MillraceError } from "@millrace/store";

export const body = Buffer.from("order");
export const message: Message = { topic: "Orders", queueId: 0, body };
export const m1: Message = { ...message, tags: "created", keys: ["4711"] };
export const m2: Message = { ...message, tags: "paid", keys: ["4711"] };
export const m3: Message = { ...message, tags: "paid", keys: ["4712"] };
export const store = await MessageStore.open({
  storePathRootDir: "context-store",
  mappedFileSizeCommitLog: 1024 * 1024,
  maxHashSlotNum: 1000,
  maxIndexNum: 4000,
});
await Promise.all([m1, m2, m3].map((each) => store.putMessage(each)));
while (store.dispatchBehindBytes > 0) await new Promise((resolve) => setImmediate(resolve));
`;

const FRAGMENT_HEAD = `import { body, m1, m2, m3, message, MessageStore, MillraceError, store } from "./context.js";
try {
`;
const FRAGMENT_TAIL = "} finally {\n  await store.close();\n}\n";

/** A block of a document in TypeScript or JavaScript. */
export interface Snippet {
  readonly document: string;
  /** Of its first line in the document, from 1. */
  readonly line: number;
  readonly code: string;
  /** Compiled only: ` ```ts no-run `. */
  readonly isRun: boolean;
}

export function snippetsOf(document: string, text: string): Snippet[] {
  const found: Snippet[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const [, indent, info] = FENCE.exec(lines[i] ?? "") ?? [];
    if (indent === undefined) continue;
    const end = lines.indexOf(`${indent}\`\`\``, i);
    if (end < 0) throw new Error(`a block of code has no end: ${document}:${i + 1}`);
    const code = lines.slice(i + 1, end).map((line) => line.slice(indent.length));
    found.push({ document, line: i + 2, code: `${code.join("\n")}\n`, isRun: info !== "no-run" });
    i = end;
  }
  return found;
}

export interface SnippetRun {
  /** Exit code, or why it was ended. */
  readonly code: number | string;
  readonly output: string;
}

/**
 * Snippets as a user's project: one file for each, compiled together as strict TypeScript against the packages as they are shipped.
 * One that imports or exports is a module and stands as printed; any other is a fragment, and has the names of `context.ts`.
 */
export class SnippetProject {
  readonly #directory: string;
  readonly #snippets: readonly Snippet[];

  constructor(directory: string, snippets: readonly Snippet[]) {
    this.#directory = directory;
    this.#snippets = snippets;
    symlinkSync(join(projectRoot(), "node_modules"), join(directory, "node_modules"));
    const compilerOptions = {
      strict: true,
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
    };
    this.#write("package.json", JSON.stringify({ type: "module" }));
    this.#write("tsconfig.json", JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true } }));
    this.#write("context.ts", CONTEXT);
    snippets.forEach((snippet, i) => {
      // The directories of a document are below the one in which the snippet runs.
      const code = snippet.code.replace(/(["'`])\/(?=[a-z])/g, "$1./");
      this.#write(`snippet-${i}.ts`, isModule(snippet) ? code : FRAGMENT_HEAD + code + FRAGMENT_TAIL);
    });
  }

  /** Every error, with its place in the document. */
  compile(): string[] {
    const compiler = join(projectRoot(), "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "--pretty", "false"], { cwd: this.#directory, encoding: "utf8" });
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => this.#placed(line));
  }

  /** Runs one in a directory of its own, until it ends by itself. */
  run(snippet: Snippet): Promise<SnippetRun> {
    const name = `snippet-${this.#snippets.indexOf(snippet)}`;
    const cwd = join(this.#directory, name);
    mkdirSync(cwd);
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [...bundledStore(), join(this.#directory, `${name}.js`)],
        { cwd, timeout: LIMIT_MS },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : (error.code ?? String(error.signal)), output: stdout + stderr });
        },
      );
    });
  }

  #placed(line: string): string {
    const [, file = "", at, message] = DIAGNOSTIC.exec(line) ?? [];
    const snippet = this.#snippets[Number(file.slice("snippet-".length))];
    if (snippet === undefined || at === undefined) return line;
    const before = isModule(snippet) ? 0 : FRAGMENT_HEAD.split("\n").length - 1;
    return `${snippet.document}:${snippet.line + Number(at) - 1 - before}: ${message}`;
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#directory, name), text);
  }
}

function isModule({ code }: Snippet): boolean {
  return /^(?:import|export)\b/m.test(code);
}
