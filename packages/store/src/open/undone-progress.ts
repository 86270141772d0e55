import { SegmentDirectory } from "@millrace/mapped-file";
import { UndoneDeliveries } from "../broker/delay/undone-deliveries.js";
import { UndoneDecisions } from "../broker/transaction/undone-decisions.js";
import { MessageView } from "../read/message-view.js";
import { configFileWriter, type OpenedDirectory } from "./open-directory.js";
import { openProgress } from "./open-progress.js";
import { segmentRecords } from "./segment-records.js";

/**
 * Before the log is cut: of what `config/` calls delivered or decided, all that is so only by a record after the cut is to be delivered
 * again, and undecided again. Durable on return. Reads what is cut, and before it what was under way then.
 */
export async function undoProgress(directory: OpenedDirectory, cutAt: number): Promise<void> {
  const { config, recovery } = directory;
  const { minOffset, maxOffset } = recovery;
  const files = configFileWriter(directory, () => undefined);
  const { consumerOffsets, delayOffsets } = await openProgress(directory, files);
  const deliveries = new UndoneDeliveries(delayOffsets);
  const decisions = new UndoneDecisions(consumerOffsets);
  const last = cutAt - (cutAt % config.mappedFileSizeCommitLog);
  for (let offset = last; offset < maxOffset; offset += config.mappedFileSizeCommitLog) {
    eachRecord(directory, offset, (record) => {
      if (record.physicalOffset < cutAt) return;
      deliveries.cut(record);
      decisions.cut(record);
    });
  }
  let oldestMs = Infinity;
  for (let offset = last; offset + config.mappedFileSizeCommitLog > minOffset; offset -= config.mappedFileSizeCommitLog) {
    if (deliveries.isSettled(oldestMs) && decisions.isSettled) break;
    eachRecord(directory, offset, (record) => {
      if (record.physicalOffset >= cutAt) return;
      oldestMs = Math.min(oldestMs, record.storeTimestamp);
      deliveries.kept(record);
      decisions.kept(record);
    });
  }
  deliveries.setBack();
  decisions.setBack();
  await delayOffsets.save(async () => {});
  await consumerOffsets.close();
}

/** The good records of the segment at an offset, but those of topics that were deleted after them. */
function eachRecord(directory: OpenedDirectory, offset: number, take: (record: MessageView) => void): void {
  const { config, deletedTopics, recovery, storage } = directory;
  const segment = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog).at(storage, offset, "read");
  try {
    for (const { position, end, isGood } of segmentRecords(segment, recovery.maxOffset)) {
      if (!isGood) continue;
      const record = new MessageView(segment.bytes, position, end - position);
      if (record.physicalOffset >= (deletedTopics.offsets.get(record.topic) ?? 0)) take(record);
    }
  } finally {
    segment.close();
  }
}
