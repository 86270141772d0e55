import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { ControlBlock } from "@millrace/shared-memory";
import test from "ava";
import { CommitLogSegments } from "#store/clean/commit-log-segments.js";
import type { LeasedReader } from "#store/clean/leased-reader.js";
import type { Pipeline } from "#store/pipeline/pipeline.js";
import { storeConfig } from "../../../support/clean-config.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const SIZE = 4096;
const reader = {} as LeasedReader;

interface Words {
  readonly wroteOffset: number;
  readonly reputFromOffset?: number;
  readonly flushedOffset?: number;
  readonly appendForcedOffset?: number;
}

function segmentsWith({ wroteOffset, ...words }: Words, storePathCommitLog = "/nowhere"): CommitLogSegments {
  const buffer = ControlBlock.create({ wroteOffset, reputFromOffset: wroteOffset, flushedOffset: wroteOffset, ...words });
  const pipeline = { control: ControlBlock.attach(buffer, "main") } as unknown as Pipeline;
  const config = storeConfig({ mappedFileSizeCommitLog: SIZE, storePathCommitLog });
  return new CommitLogSegments(config, createStorage({ kind: "real" }), pipeline, reader, () => undefined);
}

test("the segment that holds the last byte stays, also when that byte is its last", (t) => {
  t.is(segmentsWith({ wroteOffset: 0 }).limitOffset, 0);
  t.is(segmentsWith({ wroteOffset: SIZE - 1 }).limitOffset, 0);
  t.is(segmentsWith({ wroteOffset: SIZE }).limitOffset, 0);
  t.is(segmentsWith({ wroteOffset: SIZE + 1 }).limitOffset, SIZE);
  t.is(segmentsWith({ wroteOffset: 5 * SIZE }).limitOffset, 4 * SIZE);
});

test("a segment stays that is not wholly dispatched, or not wholly durable by anybody's force", (t) => {
  const wroteOffset = 9 * SIZE + 1;
  t.is(segmentsWith({ wroteOffset, reputFromOffset: 3 * SIZE - 1 }).limitOffset, 2 * SIZE);
  t.is(segmentsWith({ wroteOffset, reputFromOffset: 3 * SIZE }).limitOffset, 3 * SIZE);
  t.is(segmentsWith({ wroteOffset, flushedOffset: 4 * SIZE - 1 }).limitOffset, 3 * SIZE);
  t.is(segmentsWith({ wroteOffset, flushedOffset: 100, appendForcedOffset: 7 * SIZE }).limitOffset, 7 * SIZE);
});

test("a segment's age is that of its file; a missing one has none", (t) => {
  const directory = temporaryDirectory(t);
  const segments = segmentsWith({ wroteOffset: 0 }, directory);
  t.is(segments.modifiedMs(SIZE), undefined);
  writeFileSync(join(directory, segmentFileName(SIZE)), "");
  utimesSync(join(directory, segmentFileName(SIZE)), 100, 200);
  t.is(segments.modifiedMs(SIZE), 200_000);
});
