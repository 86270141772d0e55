/** What the store has counted since it was opened; times in milliseconds unless the name says otherwise. */
export interface StoreTotals {
  readonly putMessageTimesTotal: number;
  readonly putMessageFailedTimes: number;
  readonly putMessageSizeTotal: number;
  readonly putMessageEntireTimeMax: number;
  /** Puts per class of {@link PUT_TIME_CLASSES}: what {@link classifyPutTimes} returns. */
  readonly putMessageDistributeTime: readonly number[];
  readonly putLatency99Us: number;
  readonly putLatency999Us: number;
  readonly getMessageTimesTotalFound: number;
  readonly getMessageTimesTotalMiss: number;
  readonly getMessageTransferredMsgCount: number;
  readonly getMessageEntireTimeMax: number;
  readonly dispatchMaxBuffer: number;
}

/** Names of the put time classes, and below how many microseconds a put belongs to each (RocketMQ truncates to milliseconds first). */
export const PUT_TIME_CLASSES: readonly (readonly [name: string, belowUs: number])[] = [
  ["<=0ms", 1e3],
  ["0~10ms", 10e3],
  ["10~50ms", 50e3],
  ["50~100ms", 100e3],
  ["100~200ms", 200e3],
  ["200~500ms", 500e3],
  ["500ms~1s", 1e6],
  ["1~2s", 2e6],
  ["2~3s", 3e6],
  ["3~4s", 4e6],
  ["4~5s", 5e6],
  ["5~10s", 10e6],
  ["10s~", Number.POSITIVE_INFINITY],
];

/**
 * @param countUpTo how many puts took at most so many microseconds
 * @param count all puts
 */
export function classifyPutTimes(countUpTo: (us: number) => number, count: number): number[] {
  let below = 0;
  return PUT_TIME_CLASSES.map(([, limit]) => {
    const upTo = Number.isFinite(limit) ? countUpTo(limit) : Math.max(count, below);
    const inClass = upTo - below;
    below = upTo;
    return inClass;
  });
}

const SAMPLES_KEPT = 601;
const SAMPLE_INTERVAL_MS = 1000;
const DISTRIBUTION_PERIOD_MS = 60_000;
const TPS_WINDOWS_SECONDS = [10, 60, 600];

interface Sample {
  readonly time: number;
  readonly totals: StoreTotals;
}

/**
 * RocketMQ's `getRuntimeInfo`: its keys, its spellings, its string formats. (RocketMQ: `StoreStatsService`.)
 *
 * The owner calls {@link sample} whenever it likes, at best each second; rates come from what was sampled, found by time. A window that is
 * longer than the store's life covers the life. Unlike RocketMQ it answers before the first sample, with rates of 0.0.
 */
export class RuntimeInfo {
  readonly #bootTimestamp: number;
  readonly #bootMs: number;
  /** Oldest first, at least {@link SAMPLE_INTERVAL_MS} apart, at most {@link SAMPLES_KEPT}. */
  readonly #samples: Sample[] = [];
  #distributionTime: number;
  #distributionBase: readonly number[] = [];

  /**
   * @param bootTimestamp milliseconds since the epoch
   * @param bootMs the same moment by the monotonic clock, as every `now` below
   */
  constructor(bootTimestamp: number, bootMs: number) {
    this.#bootTimestamp = bootTimestamp;
    this.#bootMs = bootMs;
    this.#distributionTime = bootMs;
  }

  /** A sample sooner than a second after the last is dropped. */
  sample(now: number, totals: StoreTotals): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.time < SAMPLE_INTERVAL_MS) return;
    this.#samples.push({ time: now, totals });
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    if (now - this.#distributionTime >= DISTRIBUTION_PERIOD_MS) {
      this.#distributionTime = now;
      this.#distributionBase = totals.putMessageDistributeTime;
    }
  }

  runtimeInfo(now: number, totals: StoreTotals): Record<string, string> {
    const times = Math.max(1, totals.putMessageTimesTotal);
    return {
      bootTimestamp: String(this.#bootTimestamp),
      runtime: formatRuntime(now - this.#bootMs),
      putMessageEntireTimeMax: String(Math.floor(totals.putMessageEntireTimeMax)),
      putMessageTimesTotal: String(times),
      putMessageFailedTimes: String(totals.putMessageFailedTimes),
      putMessageSizeTotal: String(totals.putMessageSizeTotal),
      putMessageDistributeTime: this.#formatDistribution(totals),
      putMessageAverageSize: formatDouble(totals.putMessageSizeTotal / times),
      dispatchMaxBuffer: String(totals.dispatchMaxBuffer),
      getMessageEntireTimeMax: String(Math.floor(totals.getMessageEntireTimeMax)),
      putTps: this.#formatTps((t) => t.putMessageTimesTotal),
      getFoundTps: this.#formatTps((t) => t.getMessageTimesTotalFound),
      getMissTps: this.#formatTps((t) => t.getMessageTimesTotalMiss),
      getTotalTps: this.#formatTps((t) => t.getMessageTimesTotalFound + t.getMessageTimesTotalMiss),
      getTransferredTps: this.#formatTps((t) => t.getMessageTransferredMsgCount),
      putLatency99: (totals.putLatency99Us / 1e3).toFixed(2),
      putLatency999: (totals.putLatency999Us / 1e3).toFixed(2),
    };
  }

  #formatDistribution(totals: StoreTotals): string {
    return PUT_TIME_CLASSES.map(([name], index) => {
      const puts = (totals.putMessageDistributeTime[index] ?? 0) - (this.#distributionBase[index] ?? 0);
      return `[${name}]:${puts}`;
    }).join(" ");
  }

  #formatTps(total: (totals: StoreTotals) => number): string {
    const last = this.#samples.at(-1);
    return TPS_WINDOWS_SECONDS.map((seconds) => {
      const older = last && this.#sampleBefore(last.time - seconds * 1000);
      if (last === undefined || older === undefined || older.time === last.time) return formatDouble(0);
      return formatDouble(((total(last.totals) - total(older.totals)) * 1000) / (last.time - older.time));
    }).join(" ");
  }

  /** The youngest sample that is as old as `time`, otherwise the oldest. */
  #sampleBefore(time: number): Sample | undefined {
    const after = this.#samples.findIndex((sample) => sample.time > time);
    return this.#samples[Math.max(0, after - 1)];
  }
}

/** As Java prints a double: never without a decimal point. */
function formatDouble(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function formatRuntime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  return `[ ${days} days, ${hours} hours, ${Math.floor(seconds / 60) % 60} minutes, ${seconds % 60} seconds ]`;
}
