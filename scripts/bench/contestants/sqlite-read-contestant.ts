import { join } from "node:path";
import { openSqlite, type SqliteDatabase, type SqliteStatement } from "./peer-modules.js";
import { checkBody, type ReadContestant, type ReadPass, readBodies } from "./read-contestant.js";

/** Rows of one SELECT of a range. */
const RANGE = 1024;
const MAPPED_BYTES = 1024 * 1024 * 1024;

/** better-sqlite3: prepared SELECTs by key, of a range and of one row, through its mapping of the file. */
export class SqliteReadContestant implements ReadContestant {
  readonly #database: SqliteDatabase;
  readonly #range: SqliteStatement;
  readonly #one: SqliteStatement;

  constructor(directory: string, messages: number) {
    const database = openSqlite(join(directory, "sqlite.db"));
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = OFF");
    database.pragma(`mmap_size = ${MAPPED_BYTES}`);
    database.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, body BLOB)");
    const insert = database.prepare("INSERT INTO log (id, body) VALUES (?, ?)");
    database.transaction((count: number) => {
      let number = 0;
      for (const body of readBodies(count)) insert.run(number++, body);
    })(messages);
    database.pragma("wal_checkpoint(TRUNCATE)");
    this.#database = database;
    this.#range = database.prepare(`SELECT body FROM log WHERE id >= ? ORDER BY id LIMIT ${RANGE}`).pluck();
    this.#one = database.prepare("SELECT body FROM log WHERE id = ?").pluck();
  }

  scan(pass: ReadPass): void {
    while (!pass.isOver) for (const body of this.#range.all(pass.next)) pass.take(body as Uint8Array);
  }

  get(number: number): number {
    return checkBody(this.#one.get(number) as Uint8Array | undefined);
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}
