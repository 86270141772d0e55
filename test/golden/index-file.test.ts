import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeIndexHeader, encodeIndexHeader, MessageChecker } from "@millrace/format";
import test from "ava";
import { DispatchRequest } from "#format/dispatch-request.js";
import { IndexReader } from "#store/read/index-reader.js";
import { FIXTURE_STORES, type FixtureStore } from "../support/fixture-store.js";
import { hex, IndexDirectory, realStorage } from "../support/index-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const SHAPE = { maxHashSlotNum: 100, maxIndexNum: 50 };

function fixtureIndex(store: FixtureStore): Buffer[] {
  return readdirSync(store.paths.index).map((name) => readFileSync(join(store.paths.index, name)));
}

function offsetOf(store: FixtureStore, put: string): number {
  return store.puts.find(({ name }) => name === put)?.append?.offset ?? -1;
}

function requests(store: FixtureStore, take: (request: DispatchRequest) => void): void {
  const checker = new MessageChecker();
  const request = new DispatchRequest();
  for (const { offset, bytes } of store.segments) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let position = 0; ; position += request.msgSize) {
      const size = checker.check(view, bytes, position, bytes.length, offset + position, true);
      if (size <= 0 || !request.read(bytes, position, size)) break;
      take(request);
    }
  }
}

for (const store of FIXTURE_STORES) {
  test(`${store.name}: the same records give the same index, to the last byte`, (t) => {
    const directory = new IndexDirectory(temporaryDirectory(t), SHAPE);
    const dispatcher = directory.dispatcher();
    requests(store, (request) => dispatcher.dispatch(request));
    dispatcher.close();
    t.deepEqual(hex(directory.contents), hex(fixtureIndex(store)));
  });

  test(`${store.name}: the header reads back and encodes to the same bytes`, (t) => {
    const [bytes = Buffer.alloc(0)] = fixtureIndex(store);
    const header = decodeIndexHeader(bytes);
    t.is(header.hashSlotCount, 6);
    t.is(header.indexCount, 8, "the rollback's key is not in it");
    t.is(header.beginPhysicalOffset, 0);
    t.is(header.endPhysicalOffset, offsetOf(store, "afterroll"));
    t.is(Buffer.from(encodeIndexHeader(header)).toString("hex"), bytes.toString("hex", 0, 40));
  });

  test(`${store.name}: a query in RocketMQ's own index finds what RocketMQ finds`, (t) => {
    const reader = new IndexReader(realStorage, store.paths.index, { ...SHAPE, maxMsgsNumBatch: 64 });
    t.teardown(() => reader.close());
    const found = reader.queryOffset("TopicA", "K1", 32, 0, Number.MAX_SAFE_INTEGER);
    t.deepEqual(found.offsets, [offsetOf(store, "v6both"), offsetOf(store, "v4")]);
    t.is(found.lastUpdatePhysicalOffset, offsetOf(store, "afterroll"));
    t.deepEqual(reader.queryOffset("TopicB", "key0", 32, 0, Number.MAX_SAFE_INTEGER).offsets, [offsetOf(store, "batch")]);
    t.deepEqual(reader.queryOffset("TopicA", "KR", 32, 0, Number.MAX_SAFE_INTEGER).offsets, [], "rolled back");
  });
}
