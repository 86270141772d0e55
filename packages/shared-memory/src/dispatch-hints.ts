import type { ControlBlock } from "./control-block.js";
import type { OwnedCounter, ReadableCounter } from "./counter.js";
import {
  HINT_DOUBLES,
  HINT_KEY_HASH_WORD,
  HINT_KEYS_WORD,
  HINT_LENGTH,
  HINT_PHYSICAL_OFFSET_DOUBLE,
  HINT_QUEUE_OFFSET_DOUBLE,
  HINT_QUEUE_SLOT_WORD,
  HINT_READ_RECORD,
  HINT_SIZE_WORD,
  HINT_STORE_TIMESTAMP_DOUBLE,
  HINT_TAGS_CODE_WORD,
  HINT_WORDS,
  HINTS,
} from "./dispatch-hint-descriptor.js";
import type { Regions } from "./put-ring-buffers.js";

/** The appender's kernel writes them. */
export type DispatchHintBuffer = Uint8Array<SharedArrayBuffer>;

export function allocateDispatchHints(regions: Regions): DispatchHintBuffer {
  return regions.take(HINTS * HINT_LENGTH);
}

/**
 * The dispatcher's side of the hints, a cursor: {@link isAt} moves it, the other fields are the hint's that it has found. What was taken
 * can be taken again until {@link release}.
 */
export class DispatchHints {
  readonly #left: ReadableCounter;
  readonly #taken: OwnedCounter;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  /** The hint that the cursor is at, and one past the last that may be looked at. */
  #at: number;
  #end: number;
  /** Of the hint that the cursor is at. */
  #word = 0;
  #double = 0;

  constructor(buffer: DispatchHintBuffer, control: ControlBlock<"dispatch">) {
    this.#left = control.counters.hintsLeft;
    this.#taken = control.counters.hintsTaken;
    this.#words = new Int32Array(buffer.buffer, buffer.byteOffset, HINTS * HINT_WORDS);
    this.#doubles = new Float64Array(buffer.buffer, buffer.byteOffset, HINTS * HINT_DOUBLES);
    this.#at = this.#taken.value;
    this.#end = this.#at;
  }

  /** Takes the cursor back to what was not released, and lets it see what the appender has left by now. */
  begin(): void {
    this.#end = this.#left.get();
    this.#moveTo(this.#taken.value);
  }

  /** Whether a hint says all of the record at `offset`. Hints of what lies before it are passed over. */
  isAt(offset: number): boolean {
    for (; this.#at < this.#end; this.#moveTo(this.#at + 1)) {
      const physicalOffset = this.physicalOffset;
      if (physicalOffset === offset) return this.keys !== HINT_READ_RECORD;
      if (physicalOffset > offset) return false;
    }
    return false;
  }

  /** What is behind the cursor may be overwritten. */
  release(): void {
    this.#taken.set(this.#at);
  }

  get physicalOffset(): number {
    return this.#doubles[this.#double + HINT_PHYSICAL_OFFSET_DOUBLE] as number;
  }

  get queueOffset(): number {
    return this.#doubles[this.#double + HINT_QUEUE_OFFSET_DOUBLE] as number;
  }

  get storeTimestamp(): number {
    return this.#doubles[this.#double + HINT_STORE_TIMESTAMP_DOUBLE] as number;
  }

  get size(): number {
    return this.#words[this.#word + HINT_SIZE_WORD] as number;
  }

  get queueSlot(): number {
    return this.#words[this.#word + HINT_QUEUE_SLOT_WORD] as number;
  }

  get tagsCode(): number {
    return this.#words[this.#word + HINT_TAGS_CODE_WORD] as number;
  }

  /** How many keys the index gets. */
  get keys(): number {
    return this.#words[this.#word + HINT_KEYS_WORD] as number;
  }

  /** As the index has it: not negative. */
  keyHash(key: number): number {
    return this.#words[this.#word + HINT_KEY_HASH_WORD + key] as number;
  }

  #moveTo(at: number): void {
    this.#at = at;
    const index = at & (HINTS - 1);
    this.#word = index * HINT_WORDS;
    this.#double = index * HINT_DOUBLES;
  }
}
