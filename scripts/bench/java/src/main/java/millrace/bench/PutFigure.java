package millrace.bench;

import java.util.Map;

/**
 * What one run of puts came to; statuses are counted by name.
 *
 * @param latency until the store's own thread has completed the put
 * @param answered until the thread that puts has the answer
 */
record PutFigure(Map<String, Long> statuses, long nanos, LatencyHistogram latency, LatencyHistogram answered) {
    static final String OK = "PUT_OK";

    /**
     * @param behindBytes how far the dispatcher was behind at the end
     * @param cpuNanos of the whole process, until all of it was dispatched
     */
    String toJson(long behindBytes, long cpuNanos) {
        long acknowledged = statuses.getOrDefault(OK, 0L);
        StringBuilder failures = new StringBuilder();
        statuses.forEach((status, count) -> {
            if (!status.equals(OK)) {
                failures.append(failures.length() == 0 ? "" : ",").append('"').append(status).append("\":").append(count);
            }
        });
        return "{\"messages\":" + acknowledged + ",\"msgPerSec\":" + acknowledged * 1e9 / nanos + ",\"p50Us\":" + latency.quantileUs(0.5)
            + ",\"p99Us\":" + latency.quantileUs(0.99) + ",\"p999Us\":" + latency.quantileUs(0.999)
            + ",\"answeredP50Us\":" + answered.quantileUs(0.5)
            + ",\"cpuNs\":" + (double) cpuNanos / Math.max(1, acknowledged) + ",\"behindBytes\":" + behindBytes + ",\"failures\":{" + failures + "}}";
    }
}
