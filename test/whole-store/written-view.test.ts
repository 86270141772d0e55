import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const FIRST = "00000000000000000000";

test("who stores into a view of a message changes what this process reads of it, not the log, and the process lives", async (t) => {
  const store = await openStore(t);
  const { storePathRootDir } = store.config;
  for (let n = 0; n < 3; n++) await store.putMessage(numbered(n));
  await dispatchedAll(store);
  const file = join(storePathRootDir, "commitlog", FIRST);
  const before = readFileSync(file);
  {
    using got = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0, maxMessages: 3 });
    t.is(got.messages.length, 3);
    for (const { body } of got.messages) body.fill(0x21);
  }
  t.deepEqual(readFileSync(file), before);
  t.is((await store.putMessage(numbered(3, 5000))).status, "PUT_OK", "and the log goes on");
  await store.close();
  const again = await openStore(t, { storePathRootDir });
  using got = again.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0, maxMessages: 4 });
  t.deepEqual(
    got.messages.map(({ body }) => Number.parseInt(body.toString(), 10)),
    [0, 1, 2, 3],
  );
});
