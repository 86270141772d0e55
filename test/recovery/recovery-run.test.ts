import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Fault, FaultOperation } from "@millrace/mapped-file";
import test from "ava";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { fingerprint, recover, SIZE, segmentPath, zerosFrom } from "../support/log-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

test("recovery in parallel finds what recovery in one thread finds", async (t) => {
  const log = new CommitLogBuilder().fillTo(9, 500);
  const hole = log.records.find((record) => record.offset > 7 * SIZE + 800)?.offset ?? 0;
  log.damage(hole);
  const reports = [];
  for (const parallelism of [0, 1, 3]) {
    const directory = join(temporaryDirectory(t), "commitlog");
    log.write(directory);
    const { seconds, cut, ...report } = await recover(directory, { parallelism });
    t.true(seconds >= 0);
    reports.push({
      ...report,
      cut: { ...cut, segmentsRemoved: cut?.segmentsRemoved.length },
      files: fingerprint(directory).map((file) => file.slice(0, 61)),
    });
  }
  t.is(reports[0]?.maxOffset, hole);
  t.deepEqual(reports[1], reports[0]);
  t.deepEqual(reports[2], reports[0]);
});

test("progress rises to the whole, and ends there", async (t) => {
  const directory = temporaryDirectory(t);
  new CommitLogBuilder().fillTo(3, 500).write(directory);
  for (const parallelism of [0, 2]) {
    const seen: number[] = [];
    let last: unknown;
    await recover(directory, {
      parallelism,
      onProgress: (progress) => {
        seen.push(progress.segmentsScanned);
        last = progress;
      },
    });
    t.deepEqual([...new Set([0, ...seen])], [0, 1, 2, 3, 4]);
    t.deepEqual(last, { bytesScanned: 4 * SIZE, bytesTotal: 4 * SIZE, segmentsScanned: 4, segmentsTotal: 4 });
  }
});

test("a recovery aborted before or during the scan changes nothing", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(5, 500);
  log.damage(log.records.at(-1)?.offset ?? 0);
  log.write(directory);
  const before = fingerprint(directory);
  await t.throwsAsync(recover(directory, { signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
  for (const parallelism of [0, 2]) {
    for (const at of [1, 6]) {
      const controller = new AbortController();
      const onProgress = ({ segmentsScanned }: { segmentsScanned: number }): void => {
        if (segmentsScanned === at) controller.abort();
      };
      const { signal } = controller;
      await t.throwsAsync(recover(directory, { signal, onProgress, parallelism }), { code: "ERR_ABORTED" });
      t.deepEqual(fingerprint(directory), before);
    }
  }
  t.not((await recover(directory)).cut, undefined);
});

for (const parallelism of [0, 2]) {
  test(`a segment that cannot be read is named, and nothing is changed (${parallelism} threads)`, async (t) => {
    const directory = temporaryDirectory(t);
    new CommitLogBuilder().fillTo(3, 500).write(directory);
    const before = fingerprint(directory);
    for (const operation of ["open", "read"] as const) {
      const faults: Fault[] = [{ operation, path: segmentPath(directory, 2), after: 0, code: "EIO" }];
      const message = new RegExp(`path=${segmentPath(directory, 2)}, reason=EIO$`);
      const recovering = recover(directory, { storage: { kind: "faulty", faults }, parallelism });
      await t.throwsAsync(recovering, { code: "ERR_SEGMENT_UNREADABLE", message });
      t.deepEqual(fingerprint(directory), before);
    }
  });
}

/** A failed force is final; after another call the next recovery may simply try again. */
function codeOf(operation: FaultOperation): string {
  return operation === "force" || operation === "syncDirectory" ? "ERR_FORCE_FAILED" : "ERR_SEGMENT_UNWRITABLE";
}

test("a cut that fails anywhere is an error, and the next recovery completes it", async (t) => {
  const log = new CommitLogBuilder().fillTo(2, 500);
  const hole = log.records.find((record) => record.offset > SIZE + 800)?.offset ?? 0;
  log.damage(hole);
  const points: [FaultOperation, number][] = [
    ["remove", 0],
    ["write", 1],
    ["force", 0],
    ["force", 1],
    ["syncDirectory", -1],
  ];
  for (const [operation, segment] of points) {
    const directory = join(temporaryDirectory(t), "commitlog");
    log.write(directory);
    const path = operation === "remove" || segment === -1 ? directory : segmentPath(directory, segment);
    const faults: Fault[] = [{ operation, path, after: 0, code: "EIO" }];
    await t.throwsAsync(recover(directory, { storage: { kind: "faulty", faults } }), { code: codeOf(operation) }, operation);
    t.like(await recover(directory), { maxOffset: hole });
    zerosFrom(t, segmentPath(directory, 1), hole % SIZE);
    t.false(existsSync(segmentPath(directory, 2)));
  }
});

test("what is above the watermark is forced, whatever its end", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new CommitLogBuilder().fillTo(2, 500);
  log.write(directory);
  const points: [FaultOperation, string][] = [
    ["force", segmentPath(directory, 1)],
    ["force", segmentPath(directory, 2)],
    ["syncDirectory", directory],
  ];
  for (const [operation, path] of points) {
    const faults: Fault[] = [{ operation, path, after: 0, code: "EIO" }];
    const options = { storage: { kind: "faulty", faults } as const, flushedWatermark: SIZE + 10 };
    await t.throwsAsync(recover(directory, options), { code: codeOf(operation), message: /reason=EIO$/ });
  }
});
