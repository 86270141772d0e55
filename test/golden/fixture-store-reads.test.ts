import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageStore } from "@millrace/store";
import test from "ava";
import { FIXTURES_DIRECTORY, passDelayedMessages } from "../support/fixture-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { openStore } from "../support/temporary-store.js";

/** Sizes of the fixtures; see their README. */
const SIZES = { mappedFileSizeCommitLog: 4096, mappedFileSizeConsumeQueue: 200, maxHashSlotNum: 100, maxIndexNum: 50 };
/** In the run that wrote the fixtures these came from time, load and disk. */
const RUN_DEPENDENT = /^(bootTimestamp|runtime|put|get|commitLogDiskRatio|consumeQueueDiskRatio|dispatchMaxBuffer)/;

/** The line that the Java program printed for a get of TopicA queue 0 from this offset. */
function getLine(store: MessageStore, what: string): string {
  if (what === "notopic") {
    using found = store.getMessage({ topic: what, queueId: 0, queueOffset: 0 });
    return `get ${what} ${found.status} next=${found.nextBeginOffset}`;
  }
  using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: Number(what), maxMessages: 32 });
  const { status, nextBeginOffset, minOffset, maxOffset, messages, bufferTotalSize } = found;
  const range = `next=${nextBeginOffset} min=${minOffset} max=${maxOffset}`;
  return `get ${what} ${status} ${range} n=${messages.length} size=${bufferTotalSize}`;
}

function queryLine(store: MessageStore, key: string): string {
  const { messages, indexLastUpdatePhysicalOffset } = store.queryMessage({ topic: "TopicA", key, maxNum: 32 });
  return `query ${key} ${messages.length} lastOff=${indexLastUpdatePhysicalOffset ?? 0}`;
}

/** `{a=1, b=2}` as Java prints a map. */
function parseRuntime(line: string): Map<string, string> {
  return new Map(
    line
      .slice(1, -1)
      .split(/, (?=\w+=|commitLogDiskRatio_)/)
      .map((entry) => entry.split("=", 2) as [string, string]),
  );
}

for (const name of ["rocketmq-4.9.8", "rocketmq-5.3.3", "rocketmq-5.3.3-property-crc"]) {
  for (const rebuilt of [false, true]) {
    const queues = rebuilt ? "ConsumeQueues and index built again" : "RocketMQ's own ConsumeQueues and index";
    test.serial(`every get, query and runtime line of RocketMQ's run is reproduced: ${name}, ${queues}`, async (t) => {
      const root = temporaryDirectory(t);
      const filter = (path: string): boolean => !rebuilt || !/\/(consumequeue|index)$/.test(path);
      cpSync(join(FIXTURES_DIRECTORY, name), root, { recursive: true, filter });
      passDelayedMessages(root);
      const store = await openStore(t, { ...SIZES, storePathRootDir: root });
      let compared = 0;
      for (const line of readFileSync(join(FIXTURES_DIRECTORY, `${name}.out`), "utf8").split("\n")) {
        const [verb, what = ""] = line.split(" ");
        if (verb === "get") t.is(getLine(store, what), line);
        else if (verb === "query") t.is(queryLine(store, what), line);
        else if (verb === "maxphy") t.is(`maxphy ${store.maxPhysicalOffset} min ${store.minPhysicalOffset}`, line);
        else if (line.startsWith("{")) {
          const { runtimeInfo } = store.stats();
          for (const [key, value] of parseRuntime(line.replace("getTransferedTps", "getTransferredTps"))) {
            const ours = runtimeInfo[key.replace("STORE", root)];
            if (RUN_DEPENDENT.test(key)) t.is(typeof ours, "string", key);
            else t.is(ours, value, key);
          }
        } else continue;
        compared++;
      }
      t.is(compared, 12);
    });
  }
}
