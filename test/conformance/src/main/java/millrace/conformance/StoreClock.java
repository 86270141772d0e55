package millrace.conformance;

import org.apache.rocketmq.common.SystemClock;

/** The clock of one store: it goes until it is told to stand. */
final class StoreClock extends SystemClock {
    private volatile long standing = -1;

    void standAt(long time) {
        standing = time;
    }

    @Override
    public long now() {
        long time = standing;
        return time == -1 ? System.currentTimeMillis() : time;
    }
}
