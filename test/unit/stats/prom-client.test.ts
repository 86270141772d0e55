import { type CommittedOffset, consumerLags } from "@millrace/stats";
import { MillraceCollector } from "@millrace/stats/prom-client";
import test from "ava";
import { Registry } from "prom-client";
import { message, openStore } from "../../support/temporary-store.js";
import { dispatchedAll } from "../../support/until.js";

test.serial(
  "a registry of prom-client shows several stores, each with its label, the lags of their groups, and histograms",
  async (t) => {
    const registry = new Registry();
    const collector = new MillraceCollector(registry);
    const [first, second] = [await openStore(t), await openStore(t)];
    const remove = collector.add("first", first);
    collector.add("second", second);
    for (let n = 0; n < 5; n++) await first.putMessage(message());
    await dispatchedAll(first);
    first.consumerOffsets.commit("billing", "TopicA", 0, 2);
    const text = await registry.metrics();
    t.true(text.includes('millrace_put_messages_total{store="first"} 5\n'), text);
    t.true(text.includes('millrace_put_messages_total{store="second"} 0\n'));
    t.true(text.includes('millrace_put_to_ack_histogram_seconds_bucket{store="first",le="+Inf"} 5\n'));
    t.is(text.match(/# TYPE millrace_put_messages_total counter/g)?.length, 1);
    // A family that was not there when the store was added: the next scrape has it.
    const next = await registry.metrics();
    t.true(next.includes('millrace_consumer_lag_messages{store="first",group="billing",topic="TopicA",queue="0"} 3\n'), next);
    remove();
    await new Promise((resolve) => setImmediate(resolve));
    t.false((await registry.metrics()).includes('store="first"'));
    collector.close();
    t.is((await registry.metrics()).trim(), "");
  },
);

test("who lags most comes first; a queue that is not there counts nothing, and neither does what retention has deleted", (t) => {
  const queues = [0, 1, 2].map((queueId) => ({ topic: "T", queueId, minOffset: 2, maxOffset: 10, lag: 0 }));
  const at = (queueId: number, offset: number, topic = "T") => ({ topic, queueId, offset });
  const committed: Record<string, CommittedOffset[]> = {
    a: [at(0, 9), at(1, 3), at(2, 0), at(9, 0), at(0, 0, "gone")],
    b: [at(1, 12)],
  };
  const offsets = { groups: () => ["a", "b"], committed: (group: string) => committed[group] ?? [] };
  t.deepEqual(
    consumerLags(offsets, queues).map(({ group, queueId, lag }) => [group, queueId, lag]),
    [
      ["a", 2, 8],
      ["a", 1, 7],
      ["a", 0, 1],
      ["b", 1, 0],
    ],
  );
});
