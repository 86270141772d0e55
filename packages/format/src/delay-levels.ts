import { MillraceError } from "./millrace-error.js";
import { shownValue } from "./shown-value.js";

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const LEVEL = /^(\d+)([smhd])$/;
/** A deliver time stays an exact number, whatever the clock says. */
const MAX_DELAY_MS = 2 ** 52;
/** What RocketMQ adds for a level that is not in its table. */
const UNKNOWN_LEVEL_DELAY_MS = 1000;

/**
 * The option `messageDelayLevel`: level 1 is its first delay. Pure, immutable.
 * (RocketMQ: `ScheduleMessageService.parseDelayLevel`, `computeDeliverTimestamp`.)
 */
export class DelayLevels {
  /** Also the number of queues of SCHEDULE_TOPIC_XXXX: the queue of a level is the level - 1. */
  readonly maxLevel: number;
  readonly #delaysMs: readonly number[];

  private constructor(delaysMs: readonly number[]) {
    this.#delaysMs = delaysMs;
    this.maxLevel = delaysMs.length;
  }

  /**
   * @param messageDelayLevel numbers with a unit of s, m, h or d, separated by spaces
   * @throws MillraceError `ERR_OPTION_ILLEGAL`
   */
  static parse(messageDelayLevel: string): DelayLevels {
    return new DelayLevels(messageDelayLevel.trim().split(/ +/).map(parseDelayMs));
  }

  /** undefined for a level that there is not. */
  delayMs(level: number): number | undefined {
    return this.#delaysMs[level - 1];
  }

  /** A level beyond the highest counts as the highest. */
  clamp(level: number): number {
    return Math.min(level, this.maxLevel);
  }

  /**
   * When a message of this level is due, in milliseconds: the tagsCode of its unit in the ConsumeQueue. Without such a level a
   * second later.
   */
  deliverTime(level: number, storeTimestampMs: number): number {
    return storeTimestampMs + (this.delayMs(this.clamp(level)) ?? UNKNOWN_LEVEL_DELAY_MS);
  }
}

function parseDelayMs(text: string): number {
  const match = LEVEL.exec(text);
  const delayMs = match === null ? Number.NaN : Number(match[1]) * (UNIT_MS.get(match[2] as string) as number);
  if (delayMs <= MAX_DELAY_MS) return delayMs;
  const reason = "a delay is a number with a unit of s, m, h or d, and less than 2^52 milliseconds";
  throw new MillraceError("ERR_OPTION_ILLEGAL", `${reason}: messageDelayLevel=${shownValue(text)}`);
}
