package millrace.bench;

/** Log-linear, with the buckets of Millrace's LatencyHistogram: tenths of a microsecond, 32 buckets for each power of two from 64 on. */
final class LatencyHistogram {
    private static final int LINEAR_BUCKETS = 64;
    private static final int LINEAR_BITS = 6;
    private static final int SUB_BUCKETS = 32;
    private static final int SUB_BITS = 5;
    private static final int NANOS_IN_TENTH = 100;

    private final long[] buckets = new long[LINEAR_BUCKETS + (31 - LINEAR_BITS) * SUB_BUCKETS];
    private long count;
    private long maxNanos;

    void record(long nanos) {
        buckets[bucketOf((int) Math.min(nanos / NANOS_IN_TENTH, Integer.MAX_VALUE))]++;
        count++;
        maxNanos = Math.max(maxNanos, nanos);
    }

    /** The microseconds that the fraction {@code quantile} of all values does not exceed; 0 when there are none. */
    double quantileUs(double quantile) {
        long wanted = Math.max(1, (long) Math.ceil(count * quantile));
        long sum = 0;
        for (int bucket = 0; bucket < buckets.length; bucket++) {
            sum += buckets[bucket];
            if (sum >= wanted) {
                return Math.min(limitUs(bucket), maxNanos / 1e3);
            }
        }
        return 0;
    }

    private static int bucketOf(int tenths) {
        if (tenths < LINEAR_BUCKETS) {
            return tenths;
        }
        int exponent = 31 - Integer.numberOfLeadingZeros(tenths);
        return LINEAR_BUCKETS + (exponent - LINEAR_BITS) * SUB_BUCKETS + ((tenths >>> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1));
    }

    private static double limitUs(int bucket) {
        if (bucket < LINEAR_BUCKETS) {
            return (bucket + 1) / 10.0;
        }
        int exponent = (bucket - LINEAR_BUCKETS) / SUB_BUCKETS + LINEAR_BITS;
        int sub = (bucket - LINEAR_BUCKETS) % SUB_BUCKETS;
        return (SUB_BUCKETS + sub + 1) * Math.pow(2, exponent - SUB_BITS) / 10;
    }
}
