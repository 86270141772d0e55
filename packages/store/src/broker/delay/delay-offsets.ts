import type { Storage } from "@millrace/mapped-file";
import {
  type ConfigFileContent,
  type ConfigFileDamage,
  readConfigFile,
  type SaveConfigFile,
  writeConfigFile,
} from "../../marks/config-file.js";
import { decodeOffsetTable, encodeOffsetTable, type OffsetTable } from "../../marks/offset-table.js";
import { SavedChanges } from "../../marks/saved-changes.js";

/** Level → next queue offset of SCHEDULE_TOPIC_XXXX. Levels that the store does not have any more are written back too. */
type OffsetFile = OffsetTable<Map<number, number>>;

/**
 * How far the messages of each delay level have been delivered: `config/delayOffset.json`. Main thread.
 * (RocketMQ: `ScheduleMessageService.offsetTable`, `ConfigManager`.)
 */
export class DelayOffsets {
  readonly #file: OffsetFile;
  /** Files that were damaged when it was opened. */
  readonly damagedFiles: readonly ConfigFileDamage[];
  readonly #save: SaveConfigFile;
  readonly #changes = new SavedChanges();
  #savedTable: ReadonlyMap<number, number>;

  private constructor(read: ConfigFileContent<OffsetFile>, save: SaveConfigFile) {
    this.#file = read.value ?? { fields: {}, offsetTable: new Map() };
    this.damagedFiles = read.damaged;
    this.#save = save;
    this.#savedTable = new Map(this.#file.offsetTable);
  }

  /**
   * Reads the file, or its backup. A missing one is an empty one; it is made by the first save.
   *
   * @param save how the file is written while the store is open; by default on this thread, which then waits for the disk
   * @throws MillraceError `ERR_DELAY_OFFSETS_CORRUPT` when file, copy and backup are broken; nothing is changed
   */
  static open(storage: Storage, path: string, save?: SaveConfigFile): DelayOffsets {
    const read = readConfigFile(storage, path, "ERR_DELAY_OFFSETS_CORRUPT", decodeFile);
    return new DelayOffsets(read, save ?? (async (content, at) => writeConfigFile(storage, path, content, at)));
  }

  /** Levels that have an offset, also those that the store does not have any more. */
  get levels(): number[] {
    return [...this.#file.offsetTable.keys()];
  }

  /** Whether there is something to save. */
  get isChanged(): boolean {
    return !this.#changes.isSaved;
  }

  /** Next queue offset to deliver; 0 for a level that was never used. */
  get(level: number): number {
    return this.#file.offsetTable.get(level) ?? 0;
  }

  /** As {@link get}, as it is on disk: what the next life begins with after a crash. */
  saved(level: number): number {
    return this.#savedTable.get(level) ?? 0;
  }

  set(level: number, queueOffset: number): void {
    if (this.get(level) === queueOffset) return;
    this.#file.offsetTable.set(level, queueOffset);
    this.#changes.add();
  }

  /**
   * Resolves when the offsets set so far are on disk.
   *
   * @param delivered resolves when what the offsets call delivered is durable itself: awaited before the file is written, so that a
   * power failure cannot keep the offset and lose the message
   */
  async save(delivered: () => Promise<unknown>): Promise<void> {
    await this.#changes.save(() => this.#write(delivered));
  }

  /** {@link save}, all that was ever set: a broker that found the directory locked has put its own copy of the file there when it ended. */
  async saveAgain(delivered: () => Promise<unknown>): Promise<void> {
    this.#changes.forget();
    await this.save(delivered);
  }

  async #write(delivered: () => Promise<unknown>): Promise<void> {
    const table = new Map(this.#file.offsetTable);
    const content = encodeFile(this.#file);
    await delivered();
    await this.#save(content, 0);
    this.#savedTable = table;
  }
}

function decodeFile(value: unknown): OffsetFile {
  return decodeOffsetTable(value, (table) => {
    const offsetTable = new Map<number, number>();
    for (const [key, offset] of Object.entries(table)) {
      const level = Number(key);
      if (!Number.isSafeInteger(level) || !Number.isSafeInteger(offset) || (offset as number) < 0)
        throw new TypeError(`not a level and its offset: level=${key} offset=${String(offset)}`);
      offsetTable.set(level, offset as number);
    }
    return offsetTable;
  });
}

function encodeFile(file: OffsetFile): Uint8Array {
  return encodeOffsetTable(file, Object.fromEntries([...file.offsetTable].sort(([a], [b]) => a - b)));
}
