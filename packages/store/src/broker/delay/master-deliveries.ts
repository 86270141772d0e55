/** So much later in the log a master has delivered what was due: also one that came back with much to deliver. */
const MARGIN_MS = 300_000;
/** What the log's time counts between two moments at most: where nothing was stored for longer, the master may have been down. */
const STEP_LIMIT_MS = 10_000;
/** Moments are noted so far apart at least. */
const STEP_LEAST_MS = 1000;

/** How far a master's log had come once. */
export interface LogMoment {
  /** Of its newest record: the master's clock, milliseconds. */
  readonly storeTimestamp: number;
  /** When that was noted, by this machine's monotonic clock. */
  readonly monotonicMs: number;
}

interface NotedMoment extends LogMoment {
  /** How long the log has gone on until then. */
  readonly wentOnMs: number;
}

/**
 * What the master of a followed log has delivered, as its slave can judge: what was due when the log came to a moment after which it has
 * gone on for five minutes. The time is that of the log, its store timestamps. This machine's clock would go on while the master is
 * down; and the log's leaps when it is back, while what was due meanwhile is still being delivered: so a leap counts as ten seconds.
 */
export class MasterDeliveries {
  /** In order, both in their timestamps and in how long the log has gone on. */
  readonly #moments: NotedMoment[] = [];

  /** The log has come so far. @param storeTimestamp of its newest record */
  cameTo(storeTimestamp: number, monotonicMs: number): void {
    const moments = this.#moments;
    const last = moments.at(-1);
    const stepMs = last === undefined ? 0 : storeTimestamp - last.storeTimestamp;
    if (last !== undefined && stepMs >= 0 && stepMs < STEP_LEAST_MS) return;
    // The master's clock was set back: what was due by the clock before is not any more.
    while ((moments.at(-1)?.storeTimestamp ?? 0) > storeTimestamp) moments.pop();
    const wentOnMs = (last?.wentOnMs ?? 0) + Math.min(Math.max(stepMs, 0), STEP_LIMIT_MS);
    moments.push({ storeTimestamp, monotonicMs, wentOnMs });
    const isPast = (index: number): boolean => (moments[index]?.wentOnMs ?? Infinity) <= wentOnMs - MARGIN_MS;
    let past = 0;
    while (isPast(past + 1)) past++;
    moments.splice(0, past);
  }

  /** What was due then has been delivered; undefined until that is known of anything. */
  get deliveredTo(): LogMoment | undefined {
    const [first] = this.#moments;
    const last = this.#moments.at(-1);
    return first !== undefined && last !== undefined && first.wentOnMs <= last.wentOnMs - MARGIN_MS ? first : undefined;
  }
}
