import type { ControlBlock } from "@millrace/shared-memory";
import test from "ava";
import { counterWord, LOW_WORD } from "#shared-memory/control-block-descriptor.js";
import { ArrivalSignal } from "#store/consume/arrival-signal.js";
import { FollowedWords } from "#store/follow/followed-words.js";

/** How many sleep on the word; it wakes them. */
function sleepersOn({ buffer }: ControlBlock<"main">): number {
  return Atomics.notify(new Int32Array(buffer), counterWord("reputFromOffset") + LOW_WORD);
}

for (const who of ["waiter", "watcher"]) {
  test(`a signal that is closed sleeps on no word that nobody notifies any more: it had a ${who}`, (t) => {
    const { control, queues, topics } = new FollowedWords();
    const signal = new ArrivalSignal(control, queues, topics);
    let woken = 0;
    const wake = (): void => {
      woken++;
    };
    if (who === "watcher") signal.watch(wake);
    else signal.wait({ topic: "TopicA", queueId: 0, queueSlot: undefined, queueOffset: 0, wake });
    signal.close();
    t.is(sleepersOn(control), 0);
    t.is(woken, who === "waiter" ? 1 : 0);
  });
}

test("a signal that is open sleeps once for all who wait", (t) => {
  const { control, queues, topics } = new FollowedWords();
  const signal = new ArrivalSignal(control, queues, topics);
  for (const queueId of [0, 1]) signal.wait({ topic: "TopicA", queueId, queueSlot: undefined, queueOffset: 0, wake: () => {} });
  t.is(sleepersOn(control), 1);
  signal.close();
});
