import { readFileSync } from "node:fs";
import { decodeStoreCheckpoint, encodeStoreCheckpoint } from "@millrace/format";
import test from "ava";
import { FIXTURE_STORES } from "../support/fixture-store.js";
import { decodeMessage } from "../support/message-decoder.js";

for (const store of FIXTURE_STORES) {
  test(`${store.name}: the checkpoint decodes and encodes to the same bytes`, (t) => {
    const bytes = readFileSync(store.paths.checkpoint);
    const checkpoint = decodeStoreCheckpoint(bytes);
    const last = store.puts.find((put) => put.name === "afterroll")?.append?.offset ?? -1;
    const segment = store.segments.findLast(({ offset }) => offset <= last);
    const { storeTimestamp } = decodeMessage(segment?.bytes ?? Buffer.alloc(0), last - (segment?.offset ?? 0));
    t.is(checkpoint.logicsMsgTimestamp, storeTimestamp, "the last message dispatched");
    t.true(checkpoint.physicMsgTimestamp >= storeTimestamp);
    t.is(checkpoint.indexMsgTimestamp, 0);
    t.true(Buffer.from(encodeStoreCheckpoint(checkpoint)).equals(bytes));
  });
}
