import { join } from "node:path";
import type { LoadMessage } from "../../load-generator/load-target.js";
import { GroupTarget } from "./group-target.js";
import { openSqlite, type SqliteDatabase } from "./peer-modules.js";
import type { Workload } from "./workload.js";

/**
 * better-sqlite3, WAL, all puts in flight in one transaction. synchronous=FULL forces the WAL at each commit; OFF leaves it to the page
 * cache (NORMAL too, but forces at checkpoints).
 */
export class SqliteTarget extends GroupTarget {
  readonly #database: SqliteDatabase;
  readonly #commit: (group: readonly LoadMessage[]) => void;

  constructor(workload: Workload) {
    super();
    const database = openSqlite(join(workload.directory, "sqlite.db"));
    database.pragma("journal_mode = WAL");
    database.pragma(`synchronous = ${workload.durability === "disk" ? "FULL" : "OFF"}`);
    database.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, body BLOB)");
    const insert = database.prepare("INSERT INTO log (body) VALUES (?)");
    this.#database = database;
    this.#commit = database.transaction((group: readonly LoadMessage[]) => {
      for (const { body } of group) insert.run(body);
    });
  }

  protected putGroup(group: readonly LoadMessage[]): undefined {
    this.#commit(group);
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}
