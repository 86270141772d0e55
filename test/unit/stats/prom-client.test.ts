import { consumerLags } from "@millrace/stats";
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

test("who lags most comes first, and a queue in which a group has committed nothing is not its", (t) => {
  const queues = [0, 1].map((queueId) => ({ topic: "T", queueId, minOffset: 0, maxOffset: 10, lag: 0 }));
  const offsets = {
    groups: () => ["a", "b"],
    get: (group: string, _: string, queueId: number) => (group === "a" ? [9, 2][queueId] : [12][queueId]),
  };
  t.deepEqual(
    consumerLags(offsets, queues).map(({ group, queueId, lag }) => [group, queueId, lag]),
    [
      ["a", 1, 8],
      ["a", 0, 1],
      ["b", 0, 0],
    ],
  );
});
