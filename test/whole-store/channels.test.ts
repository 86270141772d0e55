import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StoreChannelMap, StoreEventService } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";
import test, { type ExecutionContext } from "ava";
import { readTree } from "#scripts/tidy/source-tree.js";
import { SERVICES } from "#store/pipeline/services.js";
import { STORE_CHANNEL_NAMES } from "#store/tell/store-channels.js";
import { STORE_EVENT_NAMES } from "#store/tell/store-event.js";
import { projectRoot } from "../support/project-root.js";
import { message, numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

type Name = keyof StoreChannelMap;

/** Of the main thread, of which events come. */
const PARTS: Record<Exclude<StoreEventService, keyof typeof SERVICES>, true> = {
  store: true,
  recover: true,
  put: true,
  read: true,
  scrub: true,
  clean: true,
  schedule: true,
  config: true,
  checkpoint: true,
};

/** What comes through a channel from now on; the function ends it. */
function listen<N extends Name>(t: ExecutionContext, name: N): { heard: StoreChannelMap[N][]; stop: () => void } {
  const heard: StoreChannelMap[N][] = [];
  const onMessage = (event: unknown): number => heard.push(event as StoreChannelMap[N]);
  subscribe(`millrace:${name}`, onMessage);
  const stop = (): void => void unsubscribe(`millrace:${name}`, onMessage);
  t.teardown(stop);
  return { heard, stop };
}

function sum<T>(heard: readonly T[], of: (event: T) => number): number {
  return heard.reduce((total, event) => total + of(event), 0);
}

/** Rows of the table below a line of docs/operating.md: their cells. */
function tableBelow(line: string): string[][] {
  const [, below = ""] = readFileSync(join(projectRoot(), "docs", "operating.md"), "utf8").split(`\n${line}\n`);
  const [table = ""] = below.split("\n\n");
  return table.split("\n").flatMap((row) => (row.startsWith("| `") ? [row.split("|").map((cell) => cell.trim())] : []));
}

function codesIn(cell = ""): string[] {
  return [...cell.matchAll(/`([\w:]+)`/g)].map(([, code = ""]) => code);
}

test.serial(
  "what is put, forced, rolled and recovered comes through diagnostics_channel, with the figures of the stats",
  async (t) => {
    const [put, force, roll, recovery] = [listen(t, "put"), listen(t, "force"), listen(t, "roll"), listen(t, "recovery")];
    const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" });
    const { storePathRootDir } = store.config;
    t.like(recovery.heard, [{ store: storePathRootDir, service: "recover", lastExitOk: true, maxOffset: 0, cutOffset: undefined }]);
    t.true((recovery.heard[0]?.durationMs ?? 0) > 0);
    await Promise.all(Array.from({ length: 60 }, (_, n) => store.putMessage(numbered(n, 3000))));
    await store.putMessages([message(), message(), message()]);
    await t.throwsAsync(store.putMessage(message({ topic: "/" })));
    await until(() => sum(put.heard, ({ failed }) => failed) === 1);
    const { put: putStats, append, latency } = store.stats();
    t.true(append.rolls > 0);
    t.is(
      sum(put.heard, ({ messages }) => messages),
      63,
    );
    t.is(
      sum(put.heard, ({ puts }) => puts),
      61,
    );
    t.is(
      sum(put.heard, ({ bytes }) => bytes),
      putStats.bytes,
    );
    const meanUs = sum(put.heard, ({ puts, meanUs }) => puts * meanUs) / 61;
    t.true(Math.abs(meanUs - latency.putToAckUs.mean) < 1);
    await store.close();
    const { flush, offsets } = store.stats();
    t.is(
      sum(force.heard, ({ forces }) => forces),
      flush.forces,
    );
    t.is(
      sum(force.heard, ({ bytes }) => bytes),
      offsets.flushedOffset,
    );
    t.is(force.heard.at(-1)?.flushedOffset, offsets.flushedOffset);
    t.true(Math.abs(sum(force.heard, ({ forces, meanUs }) => forces * meanUs) / flush.forces - flush.forceUs.mean) < 1);
    t.is(
      sum(roll.heard, ({ rolls }) => rolls),
      append.rolls,
    );
    t.is(roll.heard.at(-1)?.fromOffset, offsets.wroteOffset - (offsets.wroteOffset % SEGMENT_SIZE));
    t.is(roll.heard.at(-1)?.longestUs, append.rollMaxUs);
    for (const { store, time } of [...put.heard, ...force.heard, ...roll.heard])
      t.true(store === storePathRootDir && Math.abs(Date.now() - time) < 60_000);
    await openStore(t, { storePathRootDir });
    t.like(recovery.heard[1], { lastExitOk: true, maxOffset: offsets.wroteOffset, corrupt: 0 });
  },
);

test.serial("who subscribes late hears of what comes from then on, and a subscriber that has gone of nothing", async (t) => {
  const store = await openStore(t);
  await store.putAll([numbered(0), numbered(1), numbered(2)]);
  const { heard, stop } = listen(t, "put");
  await store.putAll([numbered(3), numbered(4)]);
  t.is(
    sum(heard, ({ messages }) => messages),
    2,
  );
  stop();
  await store.putMessage(numbered(5));
  const again = listen(t, "put").heard;
  await store.putMessage(numbered(6));
  t.deepEqual(
    [heard, again].map((events) => sum(events, ({ messages }) => messages)),
    [2, 1],
  );
});

test.serial("puts of a producer of its own are told of on its thread", async (t) => {
  const store = await openStore(t);
  const producer = MessageProducer.attach(store.producerHandle());
  t.teardown(() => producer.close());
  const { heard } = listen(t, "put");
  await Promise.all([0, 1, 2].map((n) => producer.putMessage(numbered(n))));
  t.is(
    sum(heard, ({ messages }) => messages),
    3,
  );
  t.is(heard[0]?.store, store.config.storePathRootDir);
});

test.serial("docs/operating.md has each channel with the fields of its events, and each event of a store", async (t) => {
  const listeners = STORE_CHANNEL_NAMES.map((name) => [name, listen(t, name).heard] as const);
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" });
  for (let n = 0; n < 30; n++) await store.putMessage(numbered(n, 4000));
  await store.close();
  const published = listeners.map(([name, [event]]) => {
    const fields = Object.keys(event ?? {}).filter((field) => !["store", "service", "time"].includes(field));
    return [`millrace:${name}`, ...fields.sort()];
  });
  const documented = tableBelow("| channel | comes | fields |").map(([, name, , fields]) => [
    ...codesIn(name),
    ...codesIn(fields).sort(),
  ]);
  t.deepEqual(documented, published);
  const events = tableBelow("| event | says |").flatMap(([, names]) => codesIn(names));
  t.deepEqual(events.sort(), [...STORE_EVENT_NAMES].sort());
});

test("docs/operating.md has every service that an event can name, and the sources emit every event", (t) => {
  const said = tableBelow("| `service` | who says it: of an event, a channel, and `lastErrors` |").flatMap(([, names]) =>
    codesIn(names),
  );
  const threads = Object.keys(SERVICES);
  t.deepEqual(said.sort(), [...threads, ...Object.keys(PARTS)].sort());
  const sources = readTree(projectRoot()).files.filter(({ path }) => path.startsWith("packages/store/src/"));
  const text = sources.map((file) => file.text).join("\n");
  const emitted = [...text.matchAll(/\.emit\(\s*(?:[^;]*? \? "(\w+)" : )?"(\w+)"/g)].flatMap(([, one, other]) => [one, other]);
  t.deepEqual([...STORE_EVENT_NAMES].filter((name) => !emitted.includes(name)).sort(), []);
  const unsaid = Object.keys(PARTS).filter(
    (part) => !new RegExp(`service: "${part}"|(Record|Index|fence|fault)\\((\\w+, )?"${part}"`).test(text),
  );
  t.deepEqual(unsaid, []);
});
