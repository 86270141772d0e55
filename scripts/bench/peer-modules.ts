import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The peers are installed beside the sources, not in the workspace: their types are what is used of them here. */
const require = createRequire(fileURLToPath(new URL("../../bench/peers/package.json", import.meta.url)));

export interface LmdbDatabase {
  put(key: number, value: Uint8Array): Promise<boolean>;
  close(): Promise<void>;
}

export interface SqliteDatabase {
  pragma(statement: string): unknown;
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: unknown[]): unknown };
  transaction(body: (count: number) => void): (count: number) => void;
  close(): void;
}

export interface LevelBatch {
  type: "put";
  key: Uint8Array;
  value: Uint8Array;
}

export interface LevelDatabase {
  open(): Promise<void>;
  put(key: Uint8Array, value: Uint8Array, options: { sync: boolean }): Promise<void>;
  batch(operations: readonly LevelBatch[], options: { sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

export function openLmdb(options: object): LmdbDatabase {
  return (require("lmdb") as { open(options: object): LmdbDatabase }).open(options);
}

export function openSqlite(path: string): SqliteDatabase {
  return new (require("better-sqlite3") as new (path: string) => SqliteDatabase)(path);
}

export function createLevel(path: string, options: object): LevelDatabase {
  const { ClassicLevel } = require("classic-level") as { ClassicLevel: new (path: string, options: object) => LevelDatabase };
  return new ClassicLevel(path, options);
}

export function peerVersion(name: string): string {
  return (require(`./node_modules/${name}/package.json`) as { version: string }).version;
}
