import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MillraceError } from "@millrace/store";
import test from "ava";
import { FIXTURE_SIZES, FIXTURES_DIRECTORY, passDelayedMessages } from "../support/fixture-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore } from "../support/temporary-store.js";

for (const name of ["rocketmq-4.9.8", "rocketmq-5.3.3", "rocketmq-5.3.3-property-crc"]) {
  test.serial(`a directory that RocketMQ has written opens, and goes on where it ended: ${name}`, async (t) => {
    const root = temporaryDirectory(t);
    cpSync(join(FIXTURES_DIRECTORY, name), root, { recursive: true });
    passDelayedMessages(root);
    const [, end] = /^maxphy (\d+) /m.exec(readFileSync(join(FIXTURES_DIRECTORY, `${name}.out`), "utf8")) ?? [];
    const store = await openStore(t, { storePathRootDir: root, ...FIXTURE_SIZES });
    t.is(store.maxPhysicalOffset, Number(end));
    const { appendResult } = await store.putMessage(message({ topic: "TopicA", queueId: 0 }));
    t.is(appendResult?.queueOffset, 5);
    t.is(appendResult?.wroteOffset, Number(end));
    await t.throwsAsync(store.putMessage(message({ topic: "t".repeat(128) })), {
      instanceOf: MillraceError,
      code: "ERR_TOPIC_ILLEGAL",
    });
  });
}
