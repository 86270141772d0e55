import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName, storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { checkSelf } from "#store/clean/self-check.js";
import { storeConfig } from "../../../support/clean-config.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { numbered, openStore, SEGMENT_SIZE } from "../../../support/temporary-store.js";

function touch(directory: string, offsets: readonly number[]): void {
  mkdirSync(directory, { recursive: true });
  for (const offset of offsets) writeFileSync(join(directory, segmentFileName(offset)), "");
}

test("a store that is well has nothing to say of itself", async (t) => {
  const store = await openStore(t);
  for (let n = 0; n < 200; n++) await store.putMessage(numbered(n, 1000));
  t.true(store.maxPhysicalOffset > 2 * SEGMENT_SIZE);
  t.deepEqual(await store.checkSelf(), []);
});

test("a gap and an overlap are found, in the log and in every ConsumeQueue", async (t) => {
  const root = temporaryDirectory(t);
  const paths = storePaths(root);
  const config = storeConfig({ storePathRootDir: root, mappedFileSizeCommitLog: 4096, mappedFileSizeConsumeQueue: 200 });
  touch(paths.commitLog, [4096, 8192, 16384, 20480]);
  touch(`${paths.consumeQueue}/TopicA/0`, [0, 200, 400]);
  touch(`${paths.consumeQueue}/TopicA/1`, [200, 300]);
  touch(`${paths.consumeQueue}/TopicB/0`, [0, 600]);
  writeFileSync(`${paths.consumeQueue}/TopicB/0/other`, "");
  const storage = createStorage({ kind: "real" });
  t.deepEqual(
    (await checkSelf(storage, paths, config)).map(({ path, offset, expectedOffset }) => [
      path.slice(root.length),
      offset,
      expectedOffset,
    ]),
    [
      [`/commitlog/${segmentFileName(16384)}`, 16384, 12288],
      [`/consumequeue/TopicA/1/${segmentFileName(300)}`, 300, 400],
      [`/consumequeue/TopicB/0/${segmentFileName(600)}`, 600, 200],
    ],
  );
  rmSync(paths.consumeQueue, { recursive: true });
  rmSync(paths.commitLog, { recursive: true });
  t.deepEqual(await checkSelf(storage, paths, config), []);
});
