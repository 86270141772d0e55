import { join } from "node:path";
import { type LmdbDatabase, openLmdb } from "./peer-modules.js";
import { checkBody, type ReadContestant, type ReadPass, readBodies } from "./read-contestant.js";

const TRANSACTION = 10_000;

/** lmdb: a range over ascending keys, and single keys into a buffer that is used again and again, its fastest way. */
export class LmdbReadContestant implements ReadContestant {
  readonly #database: LmdbDatabase;

  private constructor(database: LmdbDatabase) {
    this.#database = database;
  }

  static async open(directory: string, messages: number): Promise<LmdbReadContestant> {
    const database = openLmdb({ path: join(directory, "lmdb"), keyEncoding: "uint32", encoding: "binary", noSync: true });
    let number = 0;
    for (const body of readBodies(messages)) {
      const put = database.put(number++, body);
      if (number % TRANSACTION === 0 || number === messages) await put;
    }
    return new LmdbReadContestant(database);
  }

  scan(pass: ReadPass): void {
    while (!pass.isOver) {
      for (const { value } of this.#database.getRange({ start: pass.next })) {
        pass.take(value);
        if (pass.isOver) break;
      }
    }
  }

  get(number: number): number {
    return checkBody(this.#database.getBinaryFast(number));
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
