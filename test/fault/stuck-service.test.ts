import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, numbered, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";
import { BLOCKING_TOPIC, BLOCKS_FILE } from "./blocking-dispatcher.js";

const BLOCKING = { commitLogDispatchers: [new URL("blocking-dispatcher.js", import.meta.url).href] };
/** A service is given up after 30 s without a heartbeat, later on a busy machine. */
const LIMIT_MS = 180_000;

test("a close ends although a dispatcher blocks for ever, and what it was asked is rejected", async (t) => {
  t.timeout(LIMIT_MS);
  const store = await openStore(t, BLOCKING);
  await store.putMessage(numbered(1));
  await until(() => store.dispatchBehindBytes === 0);
  await store.putMessage(message({ topic: BLOCKING_TOPIC }));
  await until(() => existsSync(join(store.config.storePathRootDir, BLOCKS_FILE)));
  const deleted = t.throwsAsync(store.deleteTopic("TopicA"), { code: "ERR_SERVICE_ENDED" });
  await t.throwsAsync(store.close(), { code: "ERR_STORE_FAULTED", message: /service=dispatch code=ERR_SERVICE_STUCK/ });
  await deleted;
  const next = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.is(next.getMaxOffsetInQueue(BLOCKING_TOPIC, 0), 1);
});

test("a store whose dispatcher blocks on what it has to catch up with is not opened, and nothing stays", async (t) => {
  t.timeout(LIMIT_MS);
  const storePathRootDir = temporaryDirectory(t);
  const store = await openStore(t, { storePathRootDir });
  await store.putMessage(message({ topic: BLOCKING_TOPIC }));
  await store.close();
  await t.throwsAsync(openStore(t, { ...BLOCKING, storePathRootDir }), {
    code: "ERR_PIPELINE_START",
    message: /no sign of life: service=dispatch/,
  });
  const next = await openStore(t, { storePathRootDir });
  t.is(next.getMaxOffsetInQueue(BLOCKING_TOPIC, 0), 1);
});
