import { MillraceError } from "@millrace/format";
import test from "ava";
import { Pause } from "#store/clean/pause.js";
import { type ScrubbedStore, StoreScrubber } from "#store/clean/store-scrubber.js";
import { stays, until } from "../../../support/until.js";

/** A log of one slice, and an index of one file. @param refusals what the scrub of the index throws, in turn */
function scrubbed(refusals: readonly Error[]): {
  readonly store: ScrubbedStore;
  readonly calls: string[];
  readonly failed: unknown[];
} {
  const calls: string[] = [];
  const failed: unknown[] = [];
  const rest = [...refusals];
  const store: ScrubbedStore = {
    minOffset: () => 0,
    endOffset: () => 100,
    scrubLog: async (_cursor, limit) => {
      calls.push("log");
      return { cursor: { offset: limit, crc: 0, isClean: true }, bytes: limit, corrupt: [] };
    },
    scrubIndex: async () => {
      calls.push("index");
      const refusal = rest.shift();
      if (refusal !== undefined) throw refusal;
      return { cursor: undefined, bytes: 0, damaged: undefined };
    },
    scrubConsumeQueues: async () => ({ isDone: true }),
    onCorrupt: () => {},
    onDamagedIndex: async () => {},
    onFailed: (error) => failed.push(error),
  };
  return { store, calls, failed };
}

test("what the system refuses once ends no scrub: it is told, and the rest is read", async (t) => {
  const refusal = Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" });
  const { store, calls, failed } = scrubbed([refusal]);
  const scrubber = new StoreScrubber(store, 1e9);
  scrubber.start();
  await until(() => calls.length === 3);
  await scrubber.close();
  t.deepEqual(calls, ["index", "log", "index"]);
  t.deepEqual(failed, [refusal]);
});

test("the end of the thread that reads ends a scrub, without a word of its own", async (t) => {
  const { store, calls, failed } = scrubbed([new MillraceError("ERR_SERVICE_ENDED", "the service ended: service=allocate")]);
  const scrubber = new StoreScrubber(store, 1e9);
  scrubber.start();
  await until(() => calls.length === 1);
  await scrubber.close();
  t.deepEqual([calls, failed], [["index"], []]);
});

test("a pause that is longer than a timer of Node's can be does not end at once", async (t) => {
  const pause = new Pause();
  let isOver = false;
  const ended = pause.for(2 ** 32).then((goesOn) => {
    isOver = true;
    return goesOn;
  });
  t.true(await stays(() => !isOver));
  pause.stop();
  t.false(await ended);
});
