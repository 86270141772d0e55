import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DispatchRequest } from "@millrace/format";
import test from "ava";
import { OwnDispatcher } from "#store/dispatch/own-dispatcher.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

test("what a dispatcher writes into a record reaches a copy only, and it is shown every record as it is", (t) => {
  const log = new CommitLogBuilder();
  const records = [log.add({ properties: "TAGS\x01a\x02" }), log.add({ body: Buffer.alloc(3000, 7) }), log.add()];
  const image = log.image(0);
  const before = Buffer.from(image);
  const seen: unknown[] = [];
  const dispatcher = new OwnDispatcher({
    name: "vandal",
    dispatch: (request) => {
      seen.push([request.commitLogOffset, request.topic, request.msgSize, request.properties.get("TAGS")]);
      request.bytes.fill(0xff);
    },
  });
  const request = new DispatchRequest();
  let position = 0;
  for (const { length } of records) {
    request.read(image, position, length);
    dispatcher.dispatch(request);
    position += length;
  }
  t.deepEqual(Buffer.from(image), before);
  t.deepEqual(
    seen,
    records.map(({ offset, length }, n) => [offset, "TopicA", length, n === 0 ? "a" : "TagA"]),
  );
  t.is(dispatcher.name, "vandal");
});

for (const [what, source] of [
  ["a module", "await new Promise(() => {});"],
  ["the function of a module", "export default () => new Promise(() => {});"],
] as const) {
  test(`${what} that never settles is given up with a code`, async (t) => {
    const module = join(temporaryDirectory(t), "never.mjs");
    writeFileSync(module, source);
    await t.throwsAsync(OwnDispatcher.load(module, "/x", 50), { code: "ERR_DISPATCHER_TIMEOUT", message: /never\.mjs ms=50$/ });
  });
}
