import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Commands, ProgramAnswer } from "./protocol.js";

const LOG_KEPT = 4000;
/** A program that hangs fails one seed, which is named, instead of the whole run when its time is over. */
const ANSWER_MS = 300_000;

/** What a call rejects with whose program ended, or was killed, before it answered. */
export class ProgramEnded extends Error {}

interface Waiting {
  readonly timer: NodeJS.Timeout;
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

/** One of the two programs, running: commands go in, answers come back, for many directories at a time. */
export class StoreProgram implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exit: Promise<void>;
  #log = "";
  #lastId = 0;

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_KEPT);
    });
    this.#child.stdin?.on("error", () => {}); // the exit tells
    this.#child.on("error", (error) => this.#end(error.message));
    this.#exit = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => {
        this.#end(`ended with ${signal ?? code}`);
        resolve();
      });
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => this.#answer(line));
  }

  call<C extends keyof Commands>(command: C, args: Commands[C][0]): Promise<Commands[C][1]> {
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new ProgramEnded(`${this.name} has ended: command=${command}`));
        return;
      }
      const timer = setTimeout(() => this.#giveUp(id, command), ANSWER_MS);
      this.#waiting.set(id, { timer, resolve, reject });
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
    let answer: ProgramAnswer;
    try {
      answer = JSON.parse(line) as ProgramAnswer;
    } catch {
      this.#end(`said what is no answer: ${line}`);
      return;
    }
    const waiting = this.#take(answer.id);
    if ("error" in answer) waiting?.reject(new Error(`${this.name}: ${answer.error}`));
    else waiting?.resolve(answer.result);
  }

  #giveUp(id: number, command: string): void {
    this.#take(id)?.reject(new Error(`${this.name} did not answer in ${ANSWER_MS / 1000} s: command=${command}\n${this.#log}`));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #end(how: string): void {
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new ProgramEnded(`${this.name} ${how}\n${this.#log}`));
  }
}
