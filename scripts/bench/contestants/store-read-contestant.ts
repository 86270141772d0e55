import type { MessageStore } from "@millrace/store";
import { LoadDriver } from "../../load-generator/load-driver.js";
import { UNPACED } from "../../load-generator/pace.js";
import { checkBody, type ReadContestant, type ReadPass, readContent } from "./read-contestant.js";
import { openReadyStore } from "./store-contestant.js";

const WINDOW = 1024;
const BATCH = 32;

/** The store: by queue offset, zero-copy views of 32 messages at a time, and released. */
export class StoreReadContestant implements ReadContestant {
  readonly #store: MessageStore;
  readonly #topic = readContent().topicOf(0);

  private constructor(store: MessageStore) {
    this.#store = store;
  }

  static async open(directory: string, messages: number): Promise<StoreReadContestant> {
    const store = await openReadyStore({ storePathRootDir: directory });
    const plan = { pace: UNPACED, slots: WINDOW, units: messages, deadlineUs: Number.POSITIVE_INFINITY };
    const driver = new LoadDriver(store, readContent(), undefined, plan);
    await driver.run();
    if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
    await store.flush();
    while (store.dispatchBehindBytes > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return new StoreReadContestant(store);
  }

  scan(pass: ReadPass): void {
    const topic = this.#topic;
    while (!pass.isOver) {
      const found = this.#store.getMessage({ topic, queueId: 0, queueOffset: pass.next, maxMessages: BATCH });
      for (const { body } of found.messages) pass.take(body);
      found.release();
    }
  }

  /** Copies. */
  async consume(pass: ReadPass): Promise<void> {
    while (!pass.isOver) {
      for await (const { messages } of this.#store.consume({
        topic: this.#topic,
        queueId: 0,
        from: pass.next,
        maxMessages: BATCH,
      })) {
        for (const { body } of messages) pass.take(body);
        if (pass.next === 0 || pass.isOver) break;
      }
    }
  }

  get(number: number): number {
    const found = this.#store.getMessage({ topic: this.#topic, queueId: 0, queueOffset: number, maxMessages: 1 });
    const check = checkBody(found.messages[0]?.body);
    found.release();
    return check;
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}
