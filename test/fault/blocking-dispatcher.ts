import type { CommitLogDispatcher } from "#store/dispatch/commit-log-dispatcher.js";

/** Of a message in which {@link blockingDispatcher} blocks for ever. */
export const BLOCKING_TOPIC = "TopicThatBlocks";

/** A user's dispatcher, as `commitLogDispatchers` names it, which wants the whole log again in each life of the store. */
export default function blockingDispatcher(): CommitLogDispatcher {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return {
    name: "blocking",
    handledOffset: () => 0,
    dispatch: ({ topic }) => {
      if (topic === BLOCKING_TOPIC) Atomics.wait(never, 0, 0);
    },
  };
}
