import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage, type Storage } from "@millrace/mapped-file";
import { DispatchRequest } from "#format/dispatch-request.js";
import { type MessageStoreConfig, resolveConfig } from "#store/config/message-store-config.js";
import { IndexDispatcher } from "#store/dispatch/index-dispatcher.js";
import { type BuiltRecord, CommitLogBuilder } from "./commit-log-builder.js";

export const SHAPE = { maxHashSlotNum: 100, maxIndexNum: 400 };

export const realStorage = createStorage({ kind: "real" });

/** A property string. */
export function properties(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}\x01${value}\x02`)
    .join("");
}

/** What the dispatch thread hands on of one record. */
export function requestOf(log: CommitLogBuilder, record: BuiltRecord): DispatchRequest {
  const request = new DispatchRequest();
  const isRecord = request.read(log.image(record.offset), record.offset % log.segmentSize, record.length);
  if (!isRecord) throw new Error(`no record: offset=${record.offset}`);
  return request;
}

/** `count` records; most with a unique key, some with keys, some with none; rollbacks among them. */
export function keyedLog(count: number, fromOffset = 0): CommitLogBuilder {
  const log = new CommitLogBuilder(4096, true, fromOffset);
  for (let i = 0; i < count; i++) {
    const keys = i % 7 === 3 ? {} : { UNIQ_KEY: `U${i}`, ...(i % 3 === 0 ? { KEYS: `K${i % 10}  L${i} ` } : {}) };
    log.add({ topic: i % 5 === 0 ? "TopicB" : "TopicA", properties: properties(keys), sysFlag: i % 11 === 10 ? 12 : 0 });
  }
  return log;
}

/** A store directory with an index, for records of one log. */
export class IndexDirectory {
  readonly root: string;
  readonly index: string;
  readonly config: MessageStoreConfig;

  constructor(root: string, shape: { maxHashSlotNum: number; maxIndexNum: number } = SHAPE) {
    this.root = root;
    this.index = storePaths(root).index;
    this.config = resolveConfig({ storePathRootDir: root, ...shape });
    mkdirSync(this.index, { recursive: true });
  }

  dispatcher(fromOffset = 0, storage: Storage = realStorage, onRoll?: (endTimestampMs: number) => void): IndexDispatcher {
    return new IndexDispatcher(storage, storePaths(this.root), this.config, fromOffset, onRoll);
  }

  /** Indexes the records from an offset on in one life. */
  build(log: CommitLogBuilder, fromOffset = 0): this {
    const dispatcher = this.dispatcher(fromOffset);
    for (const record of log.records) dispatcher.dispatch(requestOf(log, record));
    dispatcher.force();
    dispatcher.close();
    return this;
  }

  get names(): string[] {
    return readdirSync(this.index).sort();
  }

  get contents(): Buffer[] {
    return this.names.map((name) => readFileSync(join(this.index, name)));
  }
}

/** For `t.deepEqual`: the contents as text, in order. */
export function hex(contents: readonly Buffer[]): string[] {
  return contents.map((content) => content.toString("hex"));
}
