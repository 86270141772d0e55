import type { DelayLevels } from "./delay-levels.js";
import type { DispatchRequest } from "./dispatch-request.js";

/** What the unit of a record holds as tagsCode: in SCHEDULE_TOPIC_XXXX the time of delivery, otherwise the hash of the tags. */
export function unitTagsCode(request: DispatchRequest, isSchedule: boolean, delayLevels: DelayLevels): number {
  if (!isSchedule) return request.tagsCode;
  const level = request.delayTimeLevel;
  return level > 0 ? delayLevels.deliverTime(level, request.storeTimestamp) : request.tagsCode;
}
