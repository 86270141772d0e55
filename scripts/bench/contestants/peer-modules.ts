import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The peers are installed beside the sources, not in the workspace: their types are what is used of them here. */
const require = createRequire(fileURLToPath(new URL("../../../bench/peers/package.json", import.meta.url)));

export interface LmdbDatabase {
  put(key: number, value: Uint8Array): Promise<boolean>;
  /** Into memory that the next call uses again. */
  getBinaryFast(key: number): Uint8Array | undefined;
  getRange(options: { start: number }): Iterable<{ key: number; value: Uint8Array }>;
  close(): Promise<void>;
}

export interface SqliteStatement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  /** The first column instead of rows. */
  pluck(): this;
}

export interface SqliteDatabase {
  pragma(statement: string): unknown;
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  transaction<T>(body: (argument: T) => void): (argument: T) => void;
  close(): void;
}

export interface LevelBatch {
  type: "put";
  key: Uint8Array;
  value: Uint8Array;
}

interface LevelValues {
  /** Empty at the end. */
  nextv(size: number): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

export interface LevelDatabase {
  open(): Promise<void>;
  put(key: Uint8Array, value: Uint8Array, options: { sync: boolean }): Promise<void>;
  batch(operations: readonly LevelBatch[], options: { sync: boolean }): Promise<void>;
  getSync(key: Uint8Array): Uint8Array | undefined;
  values(options: { highWaterMarkBytes: number }): LevelValues;
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
