/**
 * Log-linear histogram of microseconds in shared memory: one writer, any reader, no allocation per value.
 *
 * ```text
 *   f64 cells:  [0] count   [1] sum   [2] max   [3 …] buckets
 *   value in tenths of a microsecond: 0 … 63 have a bucket each, above that 32 buckets per power of two (error ≤ 3.2 %)
 * ```
 */
const COUNT_CELL = 0;
const SUM_CELL = 1;
const MAX_CELL = 2;
const FIRST_BUCKET = 3;
const LINEAR_BUCKETS = 64;
const LINEAR_BITS = 6;
const SUB_BUCKETS = 32;
const SUB_BITS = 5;
const TENTHS = 10;
const MAX_TENTHS = 0x7fffffff;
const BUCKETS = LINEAR_BUCKETS + (31 - LINEAR_BITS) * SUB_BUCKETS;

const LIMITS_PER_DECADE = [1, 1.5, 2.5, 4, 6.5];
const DECADES = [10, 100, 1000, 10_000, 100_000, 1_000_000];

/** Limits of the counts that a snapshot has, in microseconds, rising: for histograms of others, and for what came between two snapshots. */
export const LATENCY_BUCKETS_US: readonly number[] = DECADES.flatMap((decade) => LIMITS_PER_DECADE.map((limit) => limit * decade));

/** Of a snapshot. */
const QUANTILES = [0.5, 0.9, 0.99, 0.999];

export const LATENCY_HISTOGRAM_LENGTH = (FIRST_BUCKET + BUCKETS) * Float64Array.BYTES_PER_ELEMENT;

/** Microseconds; `count` is how many values there were. */
export interface LatencySnapshot {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** How many values were at most each of `LATENCY_BUCKETS_US`, to the histogram's precision. */
  readonly upTo: readonly number[];
}

function bucketOf(tenths: number): number {
  if (tenths < LINEAR_BUCKETS) return tenths;
  const exponent = 31 - Math.clz32(tenths);
  return LINEAR_BUCKETS + (exponent - LINEAR_BITS) * SUB_BUCKETS + ((tenths >>> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** Upper end of a bucket, in microseconds. */
function upperEnd(bucket: number): number {
  if (bucket < LINEAR_BUCKETS) return (bucket + 1) / TENTHS;
  const exponent = Math.floor((bucket - LINEAR_BUCKETS) / SUB_BUCKETS) + LINEAR_BITS;
  const sub = (bucket - LINEAR_BUCKETS) % SUB_BUCKETS;
  return ((SUB_BUCKETS + sub + 1) * 2 ** (exponent - SUB_BITS)) / TENTHS;
}

/** Looked up, because each snapshot asks for thousands. */
const BUCKET_LIMITS = Float64Array.from({ length: BUCKETS }, (_, bucket) => upperEnd(bucket));

function bucketLimit(bucket: number): number {
  return BUCKET_LIMITS[bucket] as number;
}

/** How many of all values lie at or below the quantile. */
function wanted(total: number, quantile: number): number {
  return Math.max(1, Math.ceil(total * quantile));
}

export class LatencyHistogram {
  readonly #cells: Float64Array;

  constructor(buffer: SharedArrayBuffer | ArrayBuffer = new ArrayBuffer(LATENCY_HISTOGRAM_LENGTH), byteOffset = 0) {
    this.#cells = new Float64Array(buffer, byteOffset, FIRST_BUCKET + BUCKETS);
  }

  /** `count` values of `us` microseconds. Only the owning thread may call this. */
  record(us: number, count = 1): void {
    const cells = this.#cells;
    const tenths = us <= 0 ? 0 : us * TENTHS >= MAX_TENTHS ? MAX_TENTHS : (us * TENTHS) | 0;
    const cell = FIRST_BUCKET + bucketOf(tenths);
    cells[cell] = (cells[cell] as number) + count;
    cells[COUNT_CELL] = (cells[COUNT_CELL] as number) + count;
    cells[SUM_CELL] = (cells[SUM_CELL] as number) + us * count;
    if (us > (cells[MAX_CELL] as number)) cells[MAX_CELL] = us;
  }

  /** Of all values. */
  get count(): number {
    return this.#cells[COUNT_CELL] as number;
  }

  /** Of all values together. */
  get sumUs(): number {
    return this.#cells[SUM_CELL] as number;
  }

  /** How many values were at most `us`, to the histogram's precision. */
  countUpTo(us: number): number {
    return this.#countsUpTo([us])[0] as number;
  }

  /** In one pass over the buckets. @param limits rising */
  #countsUpTo(limits: readonly number[]): number[] {
    let sum = 0;
    let bucket = 0;
    return limits.map((us) => {
      for (; bucket < BUCKETS && bucketLimit(bucket) <= us; bucket++) sum += this.#cells[FIRST_BUCKET + bucket] as number;
      return sum;
    });
  }

  /** The value that the fraction `quantile` of all values does not exceed; 0 when there are none. */
  quantile(quantile: number): number {
    return this.#quantiles([quantile])[0] as number;
  }

  /** In one pass over the buckets. @param quantiles ascending */
  #quantiles(quantiles: readonly number[]): number[] {
    const cells = this.#cells;
    const max = cells[MAX_CELL] as number;
    const total = this.#total();
    const values: number[] = [];
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS && values.length < quantiles.length; bucket++) {
      sum += cells[FIRST_BUCKET + bucket] as number;
      while (values.length < quantiles.length && total > 0 && sum >= wanted(total, quantiles[values.length] as number))
        values.push(Math.min(bucketLimit(bucket), max));
    }
    while (values.length < quantiles.length) values.push(total === 0 ? 0 : max);
    return values;
  }

  /** Adds what another one has counted, for a reader who wants several writers' values together. */
  add(other: LatencyHistogram): this {
    const cells = this.#cells;
    for (let cell = 0; cell < cells.length; cell++) {
      const theirs = other.#cells[cell] as number;
      cells[cell] = cell === MAX_CELL ? Math.max(cells[cell] as number, theirs) : (cells[cell] as number) + theirs;
    }
    return this;
  }

  snapshot(): LatencySnapshot {
    const count = this.#cells[COUNT_CELL] as number;
    const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = this.#quantiles(QUANTILES);
    return {
      count,
      mean: count === 0 ? 0 : (this.#cells[SUM_CELL] as number) / count,
      p50,
      p90,
      p99,
      p999,
      max: this.#cells[MAX_CELL] as number,
      upTo: this.#countsUpTo(LATENCY_BUCKETS_US),
    };
  }

  /** Sum of the buckets, not the count cell: the owner may be between the two. */
  #total(): number {
    let total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) total += this.#cells[FIRST_BUCKET + bucket] as number;
    return total;
  }
}
