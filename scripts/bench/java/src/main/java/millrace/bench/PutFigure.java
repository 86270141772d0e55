package millrace.bench;

import java.util.Map;

/** What one run of puts came to; statuses are counted by name. */
record PutFigure(Map<String, Long> statuses, long nanos, LatencyHistogram latency) {
    static final String OK = "PUT_OK";

    /** @param behindBytes how far the dispatcher was behind at the end */
    String toJson(long behindBytes) {
        long acknowledged = statuses.getOrDefault(OK, 0L);
        StringBuilder failures = new StringBuilder();
        statuses.forEach((status, count) -> {
            if (!status.equals(OK)) {
                failures.append(failures.length() == 0 ? "" : ",").append('"').append(status).append("\":").append(count);
            }
        });
        return "{\"messages\":" + acknowledged + ",\"msgPerSec\":" + acknowledged * 1e9 / nanos + ",\"p50Us\":" + latency.quantileUs(0.5)
            + ",\"p99Us\":" + latency.quantileUs(0.99) + ",\"behindBytes\":" + behindBytes + ",\"failures\":{" + failures + "}}";
    }
}
