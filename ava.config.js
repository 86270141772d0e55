import { availableParallelism } from "node:os";

/** Those that take longest: they begin first, so that at the end no core waits for one of them. */
const LONGEST = [
  "fault/full-disk",
  "crash/crash",
  "fault/hostile-files",
  "whole-store/own-dispatcher",
  "documents/snippets",
  "install/install",
  "install/examples",
  "fault-campaign/fault-campaign",
  "whole-store/retention",
  "fault/failed-force",
  "whole-store/lifecycle",
  "unit/cli/looking-commands",
  "recovery/fixture-queues",
  "whole-store/flush",
  "fault/dead-service",
  "fault/rewritten-log",
  "whole-store/delayed-store",
  "whole-store/message-store-reads",
  "fault/bad-directory",
  "recovery/flipped-units",
];

function rankOf(path) {
  const rank = LONGEST.findIndex((name) => path.replaceAll("\\", "/").endsWith(`/${name}.test.js`));
  return rank < 0 ? LONGEST.length : rank;
}

export default {
  files: ["test/dist/**/*.test.js"],
  timeout: "120s",
  workerThreads: false,
  // One more than there are cores: most tests of a store wait a part of their time, for a disk, a process or a clock.
  concurrency: availableParallelism() + 1,
  sortTestFiles: (one, other) => rankOf(one) - rankOf(other),
};
