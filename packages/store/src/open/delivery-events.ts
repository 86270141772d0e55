import { placeOf } from "../broker/delay/delay-level-queue.js";
import type { MessageScheduler } from "../broker/delay/message-scheduler.js";
import type { StoreEventSink } from "../tell/store-event.js";

/** Has it said of delayed messages which will never come to their consumers, and when some come late because deliveries fail. */
export function tellDeliveries(events: StoreEventSink, schedule: MessageScheduler): void {
  schedule.onPassedOver = (message) => {
    const text = `a delayed message that is due cannot be put, and is passed over: ${placeOf(message)} ${message.reason}`;
    events.emit("error", { service: "schedule", code: "ERR_MESSAGE_NOT_DELIVERED", message: text });
  };
  schedule.onHeldUp = ({ reason }) => {
    const text = `what is due in a delay level fails, and is tried again: ${reason}`;
    events.emit("error", { service: "schedule", code: "ERR_DELAY_LEVEL_HELD_UP", message: text });
  };
  schedule.onGoesOn = () => events.emit("recovered", { service: "schedule" });
}
