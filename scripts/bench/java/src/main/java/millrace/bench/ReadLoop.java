package millrace.bench;

import java.nio.ByteBuffer;
import org.apache.rocketmq.store.*;

/** Reads a queue as StoreReadContender does: views of the mapped log, released; of each body the length and the first byte. */
final class ReadLoop {
    private static final String GROUP = "BenchmarkGroup";
    private static final int BATCH = 32;
    private static final int CLOCK_EVERY = 256;
    /** Of a record whose hosts are IPv4. */
    private static final int BODY_LENGTH_AT = 84;
    private static final int BODY_AT = 88;

    private final MessageStore store;
    private final int messageSize;
    private final long messages;

    ReadLoop(MessageStore store, int messageSize, long messages) {
        this.store = store;
        this.messageSize = messageSize;
        this.messages = messages;
    }

    /** Messages a second, from the first to the last, again and again. */
    double scan(long nanos) {
        long start = System.nanoTime();
        long read = 0;
        long sum = 0;
        long expected = 0;
        long end = start;
        for (long next = 0; end - start < nanos; end = System.nanoTime()) {
            GetMessageResult result = get(next, BATCH);
            for (ByteBuffer record : result.getMessageBufferList()) {
                sum += check(record);
                expected += next++ & 0xff;
                read++;
            }
            result.release();
            next = next >= messages ? 0 : next;
        }
        if (read == 0 || sum != expected) {
            throw new IllegalStateException("not the messages that were put: read=" + read + " sum=" + sum + " expected=" + expected);
        }
        return read * 1e9 / (end - start);
    }

    /** One message at random. */
    LatencyHistogram gets(long nanos) {
        LatencyHistogram latency = new LatencyHistogram();
        int random = 0x9e3779b9;
        long deadline = System.nanoTime() + nanos;
        for (long end = System.nanoTime(); end - deadline < 0; ) {
            for (int i = 0; i < CLOCK_EVERY; i++) {
                random ^= random << 13;
                random ^= random >>> 17;
                random ^= random << 5;
                long number = (random & 0xffffffffL) % messages;
                long start = System.nanoTime();
                GetMessageResult result = get(number, 1);
                int check = result.getMessageBufferList().isEmpty() ? -1 : check(result.getMessageBufferList().get(0));
                result.release();
                end = System.nanoTime();
                latency.record(end - start);
                if (check != (number & 0xff)) {
                    throw new IllegalStateException("not the message that was put: number=" + number + " read=" + check);
                }
            }
        }
        return latency;
    }

    private GetMessageResult get(long offset, int count) {
        return store.getMessage(GROUP, MessageContent.TOPIC, 0, offset, count, null);
    }

    private int check(ByteBuffer record) {
        return record.getInt(BODY_LENGTH_AT) != messageSize ? -1 : record.get(BODY_AT) & 0xff;
    }
}
