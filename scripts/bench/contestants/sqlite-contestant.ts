import { join } from "node:path";
import { GroupContestant } from "./group-contestant.js";
import { openSqlite, type SqliteDatabase } from "./peer-modules.js";
import type { Workload } from "./workload.js";

/**
 * better-sqlite3, WAL, all puts in flight in one transaction. synchronous=FULL forces the WAL at each commit; OFF leaves it to the page
 * cache (NORMAL too, but forces at checkpoints).
 */
export class SqliteContestant extends GroupContestant {
  readonly #database: SqliteDatabase;
  readonly #commit: (count: number) => void;

  constructor(workload: Workload) {
    super(workload.inFlight);
    const body = Buffer.alloc(workload.messageSize, 0x5a);
    const database = openSqlite(join(workload.directory, "sqlite.db"));
    database.pragma("journal_mode = WAL");
    database.pragma(`synchronous = ${workload.durability === "disk" ? "FULL" : "OFF"}`);
    database.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, body BLOB)");
    const insert = database.prepare("INSERT INTO log (body) VALUES (?)");
    this.#database = database;
    this.#commit = database.transaction((count) => {
      for (let i = 0; i < count; i++) insert.run(body);
    });
  }

  protected putGroup(count: number): undefined {
    this.#commit(count);
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}
