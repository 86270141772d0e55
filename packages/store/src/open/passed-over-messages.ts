import { shownValue } from "@millrace/format";
import type { PassedOverMessage } from "../broker/delay/delay-level-queue.js";
import type { StoreEventSink } from "../tell/store-event.js";

/** Says that an acknowledged message will never come to its consumers, and where it lies. */
export function tellPassedOver(events: StoreEventSink, message: PassedOverMessage): void {
  const { level, queueOffset, physicalOffset, real, reason } = message;
  const queue = real === undefined ? "" : `topic=${shownValue(real.topic)} queueId=${real.queueId} `;
  const text =
    `a delayed message that is due cannot be put, and is passed over: ${queue}delayTimeLevel=${level} queueOffset=${queueOffset} ` +
    `physicalOffset=${physicalOffset} ${reason}`;
  events.emit("error", { service: "schedule", code: "ERR_MESSAGE_NOT_DELIVERED", message: text });
}
