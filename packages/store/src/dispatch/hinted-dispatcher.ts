import type { DispatchHints } from "@millrace/shared-memory";
import type { CommitLogDispatcher } from "./commit-log-dispatcher.js";

/** A dispatcher that can do without the record where the appender's hint says what it needs to know. */
export interface HintedDispatcher extends CommitLogDispatcher {
  /** As {@link dispatch}, by the hint at the cursor. False: the record has to be read, and is handed to all dispatchers. */
  dispatchHint(hint: DispatchHints): boolean;
}

/** For a store all of whose dispatchers can do with hints. */
export interface DispatchByHint {
  readonly hints: DispatchHints;
  /** All of them, in order. */
  readonly dispatchers: readonly HintedDispatcher[];
}
