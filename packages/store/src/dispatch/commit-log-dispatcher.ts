import type { DispatchRequest } from "@millrace/format";

/**
 * What is notified of every record of the log, in order, on the dispatch thread. (RocketMQ: `CommitLogDispatcher`.) The ConsumeQueues and
 * the index are such dispatchers; a user's own is named in `commitLogDispatchers`.
 *
 * After a crash, and after an error, records are dispatched again: one that was handled before must be recognised by its `commitLogOffset`.
 */
export interface CommitLogDispatcher {
  /** For messages. */
  readonly name: string;
  /**
   * At open: the first offset that it has not handled durably; dispatching begins at the lowest of all (below 0, as RocketMQ's -1:
   * at the beginning of the log). An integer, and no promise. Without it, it is notified of what comes after the ConsumeQueues and the
   * index, which can be less than it has missed.
   */
  handledOffset?(): number;
  /**
   * One record. The request is one object used over and over: what is needed later must be copied. A throw is tried again a second
   * later.
   */
  dispatch(request: DispatchRequest): void;
  /** The group is over: what it wrote must be readable before readers hear of it. A throw is tried again a second later. */
  endGroup?(): void;
  /**
   * Files that the next {@link force} would write much of: forced in the background before it, so that dispatching waits for little. A
   * throw counts as one of {@link force}.
   */
  unforcedPaths?(): string[];
  /**
   * Make everything handled so far durable. A throw of a user's dispatcher is tried again a second later at the earliest, with the next
   * round of forces; until then a crash has it notified again of what has come since the last one that succeeded, as far as retention
   * has left that. A close tries for five seconds, then it rejects with `ERR_STORE_FAULTED`.
   */
  force?(): void;
  /** Records below this offset are no longer on disk. */
  deleteExpired?(minPhysicalOffset: number): void;
  /** Called once, when the dispatch thread ends: gives back what the dispatcher holds. */
  close?(): void;
}

/** What a module named in `commitLogDispatchers` exports as default. */
export type CommitLogDispatcherFactory = (store: {
  readonly storePathRootDir: string;
}) => CommitLogDispatcher | Promise<CommitLogDispatcher>;
