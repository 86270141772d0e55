/** One test for Vitest and for Jest, with their globals. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageStore } from "millrace";

const { test, expect } = globalThis;

test("a put is in the log", async () => {
  const storePathRootDir = mkdtempSync(join(tmpdir(), "millrace-runner-"));
  const store = await MessageStore.open({ storePathRootDir });
  const { status } = await store.putMessage({ topic: "Orders", queueId: 0, body: Buffer.from("order 0") });
  await store.close();
  rmSync(storePathRootDir, { recursive: true });
  expect(status).toBe("PUT_OK");
}, 60_000);
