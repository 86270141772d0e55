import { join } from "node:path";
import { createLevel, type LevelBatch, type LevelDatabase } from "./peer-modules.js";
import { checkBody, type ReadContestant, type ReadPass, readBodies } from "./read-contestant.js";

const KEY_LENGTH = 8;
const BATCH = 1000;
/** Values taken from the iterator at a time; what it reads ahead is bounded by bytes. */
const RANGE = 1024;
const READ_AHEAD_BYTES = 1024 * 1024;

function keyOf(number: number): Buffer {
  const key = Buffer.alloc(KEY_LENGTH);
  key.writeUIntBE(number, 2, 6);
  return key;
}

/** classic-level: an iterator over the values, and synchronous gets of single keys. */
export class LevelReadContestant implements ReadContestant {
  readonly #database: LevelDatabase;
  readonly #key = keyOf(0);

  private constructor(database: LevelDatabase) {
    this.#database = database;
  }

  static async open(directory: string, messages: number): Promise<LevelReadContestant> {
    const database = createLevel(join(directory, "level"), { keyEncoding: "buffer", valueEncoding: "buffer" });
    await database.open();
    let batch: LevelBatch[] = [];
    let number = 0;
    for (const value of readBodies(messages)) {
      batch.push({ type: "put", key: keyOf(number++), value });
      if (batch.length < BATCH && number < messages) continue;
      await database.batch(batch, { sync: false });
      batch = [];
    }
    return new LevelReadContestant(database);
  }

  async scan(pass: ReadPass): Promise<void> {
    while (!pass.isOver) {
      const values = this.#database.values({ highWaterMarkBytes: READ_AHEAD_BYTES });
      for (let bodies = await values.nextv(RANGE); bodies.length > 0 && !pass.isOver; bodies = await values.nextv(RANGE)) {
        for (const body of bodies) pass.take(body);
      }
      await values.close();
    }
  }

  get(number: number): number {
    this.#key.writeUIntBE(number, 2, 6);
    return checkBody(this.#database.getSync(this.#key));
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
