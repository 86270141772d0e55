import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { BENCH_SEGMENT_SIZE } from "../contestants/store-contestant.js";
import type { JavaPeer } from "./java-peer.js";

const LOG_KEPT = 4000;

export type JavaConfiguration = "default" | "warm" | "pool";

/** Its store is one of a pair. @property port where the master accepts its slave */
export interface JavaReplication {
  readonly role: "SYNC_MASTER" | "SLAVE";
  readonly port: number;
}

/** A JVM with RocketMQ's store open in it: a command at a time, a line of words, answered by a line of JSON. */
export class JavaProcess {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;
  #log = "";

  constructor(
    { command, args }: JavaPeer,
    configuration: JavaConfiguration,
    flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH",
    directory: string,
    replication?: JavaReplication,
  ) {
    const pair = replication === undefined ? [] : [replication.role, `${replication.port}`];
    const programArgs = [configuration, flushDiskType, directory, `${BENCH_SEGMENT_SIZE}`, ...pair];
    this.#child = spawn(command, [...args, ...programArgs], { stdio: ["pipe", "pipe", "pipe"] });
    this.#exit = once(this.#child, "close");
    this.#child.stdin?.on("error", () => {}); // the end of the answers tells
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_KEPT);
    });
    this.#answers = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async ask<T>(...words: readonly (string | number)[]): Promise<T> {
    this.#child.stdin?.write(`${words.join(" ")}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) {
      await this.#exit;
      throw new Error(`the Java store ended: command=${words.join(" ")}\n${this.#log}`);
    }
    return JSON.parse(value) as T;
  }

  /** The store is not closed: nobody reads its directory again. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
  }
}
