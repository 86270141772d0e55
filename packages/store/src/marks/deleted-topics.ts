import { dirname } from "node:path";
import { isNoSpace, type Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { DELETED_TOPICS_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: DELETED_TOPICS_MAGIC, version: 1 };
/** Names the second copy: what is in the file can be built from nothing else. */
const COPY_SUFFIX = ".copy";
/** Names the file of the first versions, which has no CRC. */
const UNCHECKED_SUFFIX = ".json";

/** A file that holds no table, though it is there. */
export interface DeletedTopicsDamage {
  readonly path: string;
  readonly reason: string;
}

interface Table {
  readonly offsets: ReadonlyMap<string, number>;
  readonly text: string;
}

/**
 * Topics that were deleted while the log still had records of them, each with the offset below which its records are nobody's any more:
 * neither recovery nor dispatching brings them back, and a topic of the same name begins again. One thread's; each change is durable
 * before it is believed.
 */
export class DeletedTopics {
  /** What was found damaged; with file and copy among them nothing is known to be deleted. */
  readonly damage: readonly DeletedTopicsDamage[];
  readonly #storage: Storage;
  readonly #path: string;
  #offsets: ReadonlyMap<string, number>;
  /** File and copy do not both hold the table: the next {@link prune}, of each opening at the latest, writes them again. */
  #isStale: boolean;

  private constructor(
    storage: Storage,
    path: string,
    offsets: ReadonlyMap<string, number>,
    isStale: boolean,
    damage: readonly DeletedTopicsDamage[],
  ) {
    this.#storage = storage;
    this.#path = path;
    this.#offsets = offsets;
    this.#isStale = isStale;
    this.damage = damage;
  }

  /**
   * A missing file is none. From a damaged one nothing is taken: to bring back what was deleted is harmless beside deleting what is alive.
   * Where both are good the file counts: it is durable before its copy is written, so that a copy that differs is older.
   */
  static read(storage: Storage, path: string): DeletedTopics {
    const damage: DeletedTopicsDamage[] = [];
    const [file, copy] = [path, path + COPY_SUFFIX].map((candidate) => readTable(storage, candidate, damage));
    const found = file ?? copy;
    if (found !== undefined) return new DeletedTopics(storage, path, found.offsets, file?.text !== copy?.text, damage);
    const unchecked = readUnchecked(storage, path + UNCHECKED_SUFFIX);
    if (typeof unchecked === "string") damage.push({ path: path + UNCHECKED_SUFFIX, reason: unchecked });
    const offsets = unchecked instanceof Map ? unchecked : new Map<string, number>();
    return new DeletedTopics(storage, path, offsets, damage.length > 0 || offsets.size > 0, damage);
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
   * Forgets what the log has no records of any more. What a crash cut off the log's end is written again by other records, so that
   * no entry may reach beyond it. Durable on return; only what has no records any more may stay when the disk is full.
   *
   * @param beforeForgetting called for each topic that goes from the table
   */
  prune(
    minOffset: number,
    maxOffset: number = Number.MAX_SAFE_INTEGER,
    beforeForgetting: (topic: string) => void = () => {},
  ): void {
    const pruned = new Map<string, number>();
    let [isChanged, isTooFar] = [false, false];
    for (const [topic, offset] of this.#offsets) {
      const kept = Math.min(offset, maxOffset);
      if (kept > minOffset) pruned.set(topic, kept);
      else beforeForgetting(topic);
      isTooFar ||= offset > maxOffset;
      isChanged ||= kept !== offset || kept <= minOffset;
    }
    if (!isChanged && !this.#isStale) return;
    try {
      this.#write(pruned);
    } catch (error) {
      if (isTooFar || !isNoSpace(error)) throw error;
    }
  }

  #write(offsets: ReadonlyMap<string, number>): void {
    this.#storage.makeDirectory(dirname(this.#path));
    const payload = new TextEncoder().encode(`${JSON.stringify(Object.fromEntries(offsets), undefined, 2)}\n`);
    for (const path of [this.#path, this.#path + COPY_SUFFIX]) writeCheckedFile(this.#storage, path, KIND, payload);
    this.#storage.remove(this.#path + UNCHECKED_SUFFIX);
    this.#offsets = offsets;
    this.#isStale = false;
  }
}

/** The table and the text that says it; undefined when there is none. */
function readTable(storage: Storage, path: string, damage: DeletedTopicsDamage[]): Table | undefined {
  const content = readCheckedFile(storage, path, KIND);
  if (content.state === "damaged") damage.push({ path, reason: content.reason });
  if (content.state !== "good") return undefined;
  const text = new TextDecoder().decode(content.payload);
  const offsets = parseOffsets(text);
  return offsets === undefined ? undefined : { offsets, text };
}

/** The table, why it cannot be read, or undefined without a file. */
function readUnchecked(storage: Storage, path: string): Map<string, number> | string | undefined {
  if (storage.entry(path)?.kind !== "file") return undefined;
  const bytes = storage.readSmall(path);
  return bytes === undefined ? undefined : (parseOffsets(new TextDecoder().decode(bytes)) ?? "it is no table");
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
