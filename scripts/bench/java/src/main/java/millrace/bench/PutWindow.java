package millrace.bench;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.PutMessageResult;

/** One producer thread that keeps so many puts in flight: before it sends one more, it waits for the oldest. */
final class PutWindow {
    private final Function<MessageExtBrokerInner, CompletableFuture<PutMessageResult>> target;
    private final MessageContent content;
    private final Slot[] slots;
    private LatencyHistogram latency = new LatencyHistogram();
    private LatencyHistogram answered = new LatencyHistogram();
    private Map<String, Long> statuses = new TreeMap<>();
    private long next;
    private long settled;

    PutWindow(Function<MessageExtBrokerInner, CompletableFuture<PutMessageResult>> target, MessageContent content, int inFlight) {
        this.target = target;
        this.content = content;
        slots = new Slot[inFlight];
        for (int i = 0; i < inFlight; i++) {
            slots[i] = new Slot(content.allocateBody());
        }
    }

    /** Puts until so many have been sent or the time is over, and waits for all of them. */
    PutFigure run(long count, long nanos) {
        latency = new LatencyHistogram();
        answered = new LatencyHistogram();
        statuses = new TreeMap<>();
        long last = count == Long.MAX_VALUE ? count : next + count;
        long start = System.nanoTime();
        while (next < last) {
            if (next - settled == slots.length) {
                settleOldest();
            }
            long now = System.nanoTime();
            if (now - start >= nanos) {
                break;
            }
            slots[(int) (next % slots.length)].put(next++, now);
        }
        while (settled < next) {
            settleOldest();
        }
        return new PutFigure(statuses, System.nanoTime() - start, latency, answered);
    }

    private void settleOldest() {
        Slot slot = slots[(int) (settled++ % slots.length)];
        String status = slot.settled.join();
        statuses.merge(status, 1L, Long::sum);
        if (status.equals(PutFigure.OK)) {
            latency.record(slot.endNanos - slot.startNanos);
            answered.record(System.nanoTime() - slot.startNanos);
        }
    }

    private final class Slot {
        final byte[] body;
        CompletableFuture<String> settled;
        long startNanos;
        /** Written by the thread that completes the put, before the future completes. */
        long endNanos;

        Slot(byte[] body) {
            this.body = body;
        }

        void put(long number, long now) {
            startNanos = now;
            settled = target.apply(content.message(number, body)).thenApply(result -> {
                endNanos = System.nanoTime();
                return result.getPutMessageStatus().name();
            });
        }
    }
}
