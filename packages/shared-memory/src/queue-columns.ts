import type { ControlBlock } from "./control-block.js";
import type { Role } from "./control-block-descriptor.js";
import type { ReadableCounter } from "./counter.js";
import { InvariantError } from "./invariant-error.js";
import { QUEUE_COLUMNS, type QueueColumnName, type QueueTableBuffers } from "./queue-table-descriptor.js";

/** One number per queue slot as everybody may see it. */
export class ReadableQueueColumn {
  readonly #cells: Float64Array;
  readonly #reputFromOffset: ReadableCounter;

  constructor(cells: Float64Array, reputFromOffset: ReadableCounter) {
    this.#cells = cells;
    this.#reputFromOffset = reputFromOffset;
  }

  /**
   * Loads `reputFromOffset` first: what the dispatcher stored before it, in the columns and in the ConsumeQueue's file, is visible
   * then.
   */
  get(slot: number): number {
    this.#reputFromOffset.get();
    return this.#cells[slot] as number;
  }
}

/** One number per queue slot on its owner's side. The owner publishes a word of its own after it, or nobody need see the number yet. */
export class OwnedQueueColumn {
  readonly #cells: Float64Array;
  readonly #name: QueueColumnName;

  constructor(cells: Float64Array, name: QueueColumnName) {
    this.#cells = cells;
    this.#name = name;
  }

  get(slot: number): number {
    return this.#cells[slot] as number;
  }

  /** @throws InvariantError queue offsets never go back: a queue that begins again has another slot */
  set(slot: number, queueOffset: number): void {
    if (!(queueOffset >= (this.#cells[slot] as number))) throw this.#wentBack(slot, queueOffset);
    this.#cells[slot] = queueOffset;
  }

  #wentBack(slot: number, queueOffset: number): InvariantError {
    const before = this.#cells[slot];
    return new InvariantError(`a queue offset went back: column=${this.#name} slot=${slot} value=${queueOffset} before=${before}`);
  }
}

/** The queues' columns as one thread sees them: its own can be set, the others only read. See {@link QUEUE_COLUMNS}. */
export type QueueColumns<R extends Role> = {
  readonly [N in QueueColumnName]: (typeof QUEUE_COLUMNS)[N] extends R ? OwnedQueueColumn : ReadableQueueColumn;
};

/** The owner word of the control block's counters has checked the role. */
export function queueColumns<R extends Role>(buffers: QueueTableBuffers, { role, counters }: ControlBlock<R>): QueueColumns<R> {
  const columns: Record<string, OwnedQueueColumn | ReadableQueueColumn> = {};
  for (const name of Object.keys(QUEUE_COLUMNS) as QueueColumnName[]) {
    const cells = buffers[name];
    const isOwner = QUEUE_COLUMNS[name] === role;
    columns[name] = isOwner ? new OwnedQueueColumn(cells, name) : new ReadableQueueColumn(cells, counters.reputFromOffset);
  }
  return columns as QueueColumns<R>;
}

/** What recovery has found of one queue. */
type FirstQueueOffsets = { readonly [N in QueueColumnName]?: number | undefined };

/** Gives queues their first values, before any thread looks at them. */
export function initializeQueues(buffers: QueueTableBuffers): (slot: number, first: FirstQueueOffsets) => void {
  const { nextQueueOffsets: next, maxQueueOffsets: max, minQueueOffsets: min } = buffers;
  return (slot, { nextQueueOffsets, maxQueueOffsets, minQueueOffsets }) => {
    if (nextQueueOffsets !== undefined) next[slot] = nextQueueOffsets;
    if (maxQueueOffsets !== undefined) max[slot] = maxQueueOffsets;
    if (minQueueOffsets !== undefined) min[slot] = minQueueOffsets;
  };
}
