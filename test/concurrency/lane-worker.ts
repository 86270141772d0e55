/** The appender's thread of the lane's test. */
import { isMainThread, workerData } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer } from "@millrace/shared-memory";
import { LaneSender } from "#store/append/lane-sender.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { laneGroup } from "../support/lane-log.js";
import { seededRandom } from "../support/random.js";

export interface LaneWorkerData {
  readonly control: ControlBlockBuffer;
  readonly seed: number;
  readonly groups: number;
  readonly haTransferBatchSize: number;
}

/** So much may be written that the slave lacks; then the appender waits for it. */
const AHEAD_LIMIT = 16 * 1024 * 1024;

/** Group after group, as the appender publishes them; now and then a large one, or a pause. */
function append({ control, seed, groups, haTransferBatchSize }: LaneWorkerData): void {
  const random = seededRandom(seed);
  const block = ControlBlock.attach(control, "append");
  const { wroteOffset, sendRequestedOffset, replicatedOffset } = block.counters;
  const sender = new LaneSender(resolveConfig({ haTransferBatchSize }), block);
  for (let n = 0; n < groups; n++) {
    const offset = wroteOffset.value;
    const length = random(50) === 0 ? 1 + random(1024 * 1024) : 1 + random(4000);
    const group = laneGroup(offset, length);
    wroteOffset.set(offset + length);
    if (sender.send(group, offset)) sendRequestedOffset.set(offset + length);
    else sendRequestedOffset.publish(offset + length);
    for (;;) {
      const replicated = replicatedOffset.get();
      const isAhead = wroteOffset.value - replicated > AHEAD_LIMIT;
      if (!isAhead && random(3) !== 0) break;
      replicatedOffset.wait(replicated, 1);
      if (!isAhead) break;
    }
  }
}

if (!isMainThread) append(workerData as LaneWorkerData);
