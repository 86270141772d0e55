import { dirname } from "node:path";
import { MillraceError } from "@millrace/format";
import { isNoSpace, type Storage } from "@millrace/mapped-file";

/**
 * Topics that were deleted while the log still had records of them, each with the offset below which its records are nobody's any more:
 * neither recovery nor dispatching brings them back, and a topic of the same name begins anew. One thread's; each change is durable
 * before it is believed.
 */
export class DeletedTopics {
  readonly #storage: Storage;
  readonly #path: string;
  #offsets: ReadonlyMap<string, number>;

  private constructor(storage: Storage, path: string, offsets: ReadonlyMap<string, number>) {
    this.#storage = storage;
    this.#path = path;
    this.#offsets = offsets;
  }

  /**
   * A missing file is none. One that cannot be understood is an error: without it deleted messages would come back. Deleting it says that
   * this is wanted.
   *
   * @throws MillraceError `ERR_DELETED_TOPICS_CORRUPT`
   */
  static read(storage: Storage, path: string): DeletedTopics {
    const bytes = storage.readSmall(path);
    if (bytes === undefined) return new DeletedTopics(storage, path, new Map());
    const offsets = parseOffsets(new TextDecoder().decode(bytes));
    if (offsets !== undefined) return new DeletedTopics(storage, path, offsets);
    throw new MillraceError(
      "ERR_DELETED_TOPICS_CORRUPT",
      `no table of deleted topics; without the file their messages come back: path=${path} length=${bytes.length}`,
    );
  }

  /** By topic; a snapshot, which travels by structured clone. */
  get offsets(): ReadonlyMap<string, number> {
    return this.#offsets;
  }

  /** Records of the topic below this offset are deleted; 0 when none are. */
  get(topic: string): number {
    return this.#offsets.get(topic) ?? 0;
  }

  /** From now on the topic's records below `offset` are deleted. Durable on return. */
  add(topic: string, offset: number): void {
    this.#write(new Map(this.#offsets).set(topic, Math.max(offset, this.get(topic))));
  }

  /**
   * Forgets what the log has no records of any more. What a crash cut off the log's end is written anew by other records, so that
   * no entry may reach beyond it. Durable on return; only what has no records any more may stay when the disk is full.
   */
  prune(minOffset: number, maxOffset: number = Number.MAX_SAFE_INTEGER): void {
    const pruned = new Map<string, number>();
    let [isChanged, isTooFar] = [false, false];
    for (const [topic, offset] of this.#offsets) {
      const kept = Math.min(offset, maxOffset);
      if (kept > minOffset) pruned.set(topic, kept);
      isTooFar ||= offset > maxOffset;
      isChanged ||= kept !== offset || kept <= minOffset;
    }
    if (!isChanged) return;
    try {
      this.#write(pruned);
    } catch (error) {
      if (isTooFar || !isNoSpace(error)) throw error;
    }
  }

  #write(offsets: ReadonlyMap<string, number>): void {
    this.#storage.makeDirectory(dirname(this.#path));
    const text = JSON.stringify(Object.fromEntries(offsets), undefined, 2);
    this.#storage.writeSmall(this.#path, new TextEncoder().encode(`${text}\n`));
    this.#offsets = offsets;
  }
}

function parseOffsets(text: string): Map<string, number> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const offsets = new Map<string, number>(Object.entries(value));
  for (const offset of offsets.values()) if (!Number.isSafeInteger(offset) || offset < 0) return undefined;
  return offsets;
}
