import { rmSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { ConsumeQueueFiles, type FileHolder } from "#store/dispatch/consume-queue-files.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const FILE_LENGTH = 400;

function holderIn(directory: string): FileHolder {
  return { directory, path: (fileStart) => join(directory, String(fileStart)), close: () => {} };
}

test("the names of a topic's other queues become durable though one of its queues goes; a topic that has gone needs none", (t) => {
  const root = temporaryDirectory(t);
  const topicOf = (topic: string): string => join(root, "consumequeue", topic);
  const synced: string[] = [];
  const storage = createStorage({ kind: "real" });
  const { syncDirectory } = storage;
  storage.syncDirectory = (path) => {
    synced.push(path);
    syncDirectory.call(storage, path);
  };
  const files = new ConsumeQueueFiles(storage, FILE_LENGTH);
  const queues = ["TopicA/0", "TopicA/1", "TopicB/0"].map((name) => holderIn(topicOf(name)));
  for (const queue of queues) files.open(queue, 0).close();
  for (const queue of queues.slice(1)) files.forget(queue);
  for (const gone of ["TopicA/1", "TopicB"]) rmSync(topicOf(gone), { recursive: true });
  files.syncTopics();
  t.deepEqual(synced, [topicOf("TopicA"), join(root, "consumequeue"), root]);
  files.syncTopics();
  t.is(synced.length, 3);
});
