import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** A program that was started here: it is killed when this process ends before it. */
export class ChildProgram {
  readonly #child: ChildProcess;
  /** What it has said, on both outputs. */
  readonly lines: string[] = [];
  readonly #name: string;
  readonly #ended: Promise<number>;
  #exitCode: number | undefined;
  #wake: (() => void)[] = [];

  constructor(name: string, command: string, args: readonly string[], directory: string) {
    this.#name = name;
    this.#child = spawn(command, args, { cwd: directory, stdio: ["pipe", "pipe", "pipe"] });
    running.add(this.#child);
    this.#child.stdin?.on("error", () => {}); // it ended before it was told to
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output === null) continue;
      createInterface({ input: output }).on("line", (line) => this.#tell(line));
    }
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code) => {
        running.delete(this.#child);
        this.#exitCode = code ?? -1;
        this.#awaken();
        resolve(this.#exitCode);
      });
    });
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** The first `count` lines of this form; throws when it ends before, or takes longer. */
  async expect(form: RegExp, seconds: number, count = 1): Promise<string[]> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const found = this.lines.filter((line) => form.test(line));
      if (found.length >= count) return found.slice(0, count);
      if (this.#exitCode !== undefined) throw this.#failure(`ended with ${this.#exitCode}, and never said ${form}`);
      const left = deadline - Date.now();
      if (left <= 0) throw this.#failure(`did not say ${form} in ${seconds} s`);
      await this.#next(left);
    }
  }

  /** Its exit code; it is killed when it takes longer. */
  async end(seconds: number): Promise<number> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), seconds * 1000);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(late);
    }
  }

  stop(signal: NodeJS.Signals, seconds = 90): Promise<number> {
    this.#child.kill(signal);
    return this.end(seconds);
  }

  #tell(line: string): void {
    this.lines.push(line);
    this.#awaken();
  }

  #awaken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #next(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #failure(what: string): Error {
    return new Error(`${this.#name} ${what}:\n${this.lines.slice(-20).join("\n")}`);
  }
}
