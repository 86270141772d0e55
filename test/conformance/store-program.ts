import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Commands, ProgramAnswer } from "./protocol.js";

const LOG_KEPT = 4000;

interface Waiting {
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

/** One of the two programs, running: commands go in, answers come back, for many directories at a time. */
export class StoreProgram implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exit: Promise<unknown>;
  #log = "";
  #lastId = 0;

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#exit = once(this.#child, "close");
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_KEPT);
    });
    this.#child.stdin?.on("error", () => {}); // the exit tells
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("close", (code, signal) => this.#end(`ended with ${signal ?? code}`));
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => this.#answer(line));
  }

  call<C extends keyof Commands>(command: C, args: Commands[C][0]): Promise<Commands[C][1]> {
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new Error(`${this.name} has ended: command=${command}`));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ ...args, id, command })}\n`);
    }) as Promise<Commands[C][1]>;
  }

  /** Ends the process as a kill does, with whatever it has open. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  /** Ends the process when it has answered everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
  }

  #answer(line: string): void {
    const answer = JSON.parse(line) as ProgramAnswer;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("error" in answer) waiting?.reject(new Error(`${this.name}: ${answer.error}`));
    else waiting?.resolve(answer.result);
  }

  #end(how: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(`${this.name} ${how}\n${this.#log}`));
  }
}
