import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { FollowedOffsets } from "#store/follow/followed-offsets.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { until } from "../../../support/until.js";

test("offsets that were read before count while the system does not let their file be looked at", async (t) => {
  const path = join(temporaryDirectory(t), "consumerOffset.json");
  writeFileSync(path, JSON.stringify({ offsetTable: { "TopicA@group": { 0: 7 } } }));
  const storage = createStorage({ kind: "real" });
  const offsets = new FollowedOffsets(storage, path);
  t.is(offsets.get("group", "TopicA", 0), 7);
  let looks = 0;
  storage.entry = () => {
    looks++;
    throw Object.assign(new Error("permission denied"), { code: "EACCES" });
  };
  await until(() => offsets.get("group", "TopicA", 0) !== 7 || looks > 1);
  t.is(offsets.get("group", "TopicA", 0), 7);
});
