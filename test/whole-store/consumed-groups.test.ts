import test from "ava";
import { message, openStore } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

test.serial("a group that is deleted begins again without offsets, after a restart too; others keep theirs", async (t) => {
  const store = await openStore(t);
  await store.putMessage(message());
  await dispatchedAll(store);
  store.consumerOffsets.commit("gone", "TopicA", 0, 1);
  store.consumerOffsets.commit("kept", "TopicA", 0, 1);
  t.true(store.consumerOffsets.deleteGroup("gone"));
  t.false(store.consumerOffsets.deleteGroup("gone"));
  t.deepEqual([store.consumerOffsets.get("gone", "TopicA", 0), store.consumerOffsets.groups()], [undefined, ["kept"]]);
  await store.close();
  const again = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.deepEqual(again.consumerOffsets.groups(), ["kept"]);
});

test.serial("a consumer with a filter says how far it has looked while nothing matches", async (t) => {
  const store = await openStore(t);
  const consumer = store.consume({ topic: "TopicA", queueId: 0, from: "earliest", filter: { tags: ["wanted"] } });
  const next = consumer.next();
  await Promise.all(Array.from({ length: 40 }, () => store.putMessage(message({ tags: "other" }))));
  await until(() => consumer.nextOffset === 40);
  await consumer.return();
  t.true((await next).done);
});
