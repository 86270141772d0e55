import type { LoadMessage, LoadPutResult } from "../../load-generator/load-target.js";
import type { BenchTarget } from "./contestant.js";

export const ACKED: LoadPutResult = { status: "PUT_OK", appendResult: { wroteOffset: 0, queueOffset: 0 } };
const ACKED_AT_ONCE: Promise<LoadPutResult> = Promise.resolve(ACKED);

/** For what takes a group of messages at a time and acknowledges all of them together: a group is what is in flight. */
export abstract class GroupTarget implements BenchTarget {
  readonly #single: LoadMessage[] = [];

  /** undefined: they are acknowledged when it returns. */
  protected abstract putGroup(group: readonly LoadMessage[]): Promise<void> | undefined;

  abstract close(): Promise<void>;

  putMessage(message: LoadMessage): Promise<LoadPutResult> {
    this.#single[0] = message;
    return this.putMessages(this.#single);
  }

  putMessages(group: readonly LoadMessage[]): Promise<LoadPutResult> {
    return this.putGroup(group)?.then(() => ACKED) ?? ACKED_AT_ONCE;
  }
}
