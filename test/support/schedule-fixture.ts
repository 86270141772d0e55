import { setImmediate } from "node:timers/promises";
import { createStorage } from "@millrace/mapped-file";
import type { ExecutionContext } from "ava";
import { DelayLevels } from "#format/delay-levels.js";
import type { PassedOverMessage } from "#store/broker/delay/delay-level-queue.js";
import { DelayOffsets } from "#store/broker/delay/delay-offsets.js";
import { MessageScheduler } from "#store/broker/delay/message-scheduler.js";
import { FakeClock, FakeScheduleStore } from "./fake-schedule-store.js";
import { temporaryDirectory } from "./temporary-directory.js";

const HOUR = 3_600_000;

/** A schedule on a store in memory, by a clock that the test moves. */
export interface ScheduleFixture {
  readonly store: FakeScheduleStore;
  readonly clock: FakeClock;
  readonly saved: string[];
  readonly passedOver: PassedOverMessage[];
  /** Of levels that are held up: why, and "goes on" when none is any more. */
  readonly held: string[];
  readonly offsets: DelayOffsets;
  /** A service that has started. */
  start(saveIntervalMs?: number): MessageScheduler;
}

export function scheduleFixture(t: ExecutionContext): ScheduleFixture {
  const saved: string[] = [];
  const save = async (content: Uint8Array): Promise<void> => {
    saved.push(JSON.stringify(JSON.parse(new TextDecoder().decode(content)).offsetTable));
  };
  const offsets = DelayOffsets.open(createStorage({ kind: "real" }), `${temporaryDirectory(t)}/delayOffset.json`, save);
  const store = new FakeScheduleStore();
  const clock = new FakeClock();
  const passedOver: PassedOverMessage[] = [];
  const held: string[] = [];
  const start = (saveIntervalMs = HOUR): MessageScheduler => {
    const service = new MessageScheduler(DelayLevels.parse("1s 10s 2h"), offsets, store, saveIntervalMs, clock);
    service.onPassedOver = (message) => passedOver.push(message);
    service.onHeldUp = ({ reason }) => held.push(reason);
    service.onGoesOn = () => held.push("goes on");
    service.start();
    t.teardown(() => service.close().catch(() => {}));
    return service;
  };
  return { store, clock, saved, passedOver, held, offsets, start };
}

/** Lets puts come back, and what follows from them happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await setImmediate();
}
