import test from "ava";
import { KIB, numbered, openStore } from "../support/temporary-store.js";

test("a large message is acknowledged when it is appended, not when somebody looks again", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: 1024 * KIB });
  await store.putMessage(numbered(0));
  const latencies: number[] = [];
  for (let n = 0; n < 21; n++) {
    const began = performance.now();
    await store.putMessage(numbered(n, 40 * KIB));
    latencies.push(performance.now() - began);
  }
  latencies.sort((a, b) => a - b);
  t.true((latencies[10] ?? 0) < 30, `median ms=${latencies[10]}`);
});
