package millrace.conformance;

import java.io.IOException;
import java.nio.channels.Selector;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.common.SystemClock;
import org.apache.rocketmq.store.ConsumeQueue;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.MessageArrivingListener;
import org.apache.rocketmq.store.MessageExtBrokerInner;
import org.apache.rocketmq.store.SelectMappedBufferResult;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.stats.BrokerStatsManager;

/** RocketMQ's store with a clock of our own, so that a record's store timestamp can be given. */
final class RocketMqStore extends DefaultMessageStore {
    /** Fields: the pools, of one thread each, on which it cleans log and ConsumeQueues by itself. */
    static final String LOG_CLEANER = "scheduledExecutorService";
    static final String QUEUE_CLEANER = "scheduledExecutorService";

    /** Has threads of its own, so there is one for all stores. */
    private static final BrokerStatsManager STATS = new BrokerStatsManager("conformance", true);

    private final SystemClock clock;

    RocketMqStore(MessageStoreConfig config, BrokerConfig broker, MessageArrivingListener listener, SystemClock clock)
        throws IOException {
        super(config, STATS, listener, broker);
        this.clock = clock;
    }

    /** The constructor of the superclass asks before the field is set. */
    @Override
    public SystemClock getSystemClock() {
        return clock == null ? super.getSystemClock() : clock;
    }

    /** 4.9 has all of these options. */
    static void configure(MessageStoreConfig config, Map<String, Object> options) {
    }

    /** The store itself puts delayed messages into their topic. */
    MessageExtBrokerInner scheduled(MessageExtBrokerInner message) {
        return message;
    }

    boolean isAllDispatched() {
        return true;
    }

    /** 4.9 knows one answer. */
    long offsetByTime(String topic, int queueId, long time, boolean isUpper) {
        return getOffsetInQueueByTime(topic, queueId, time);
    }

    /** Physical offset, size and tagsCode; null when there is no such unit. */
    long[] unit(String topic, int queueId, long index) {
        ConsumeQueue queue = findConsumeQueue(topic, queueId);
        SelectMappedBufferResult found = queue == null ? null : queue.getIndexBuffer(index);
        if (found == null) {
            return null;
        }
        try {
            return new long[] {found.getByteBuffer().getLong(), found.getByteBuffer().getInt(), found.getByteBuffer().getLong()};
        } finally {
            found.release();
        }
    }

    Object queueCleaner() throws Exception {
        return Internals.get(this, "cleanConsumeQueueService");
    }

    /** The pools that shutdown() would end; it does not wait for them once it is interrupted. */
    void endScheduledTasks() throws Exception {
        for (String name : new String[] {LOG_CLEANER, "diskCheckScheduledExecutorService"}) {
            ExecutorService pool = Internals.pool(this, name);
            pool.shutdown();
            pool.awaitTermination(3, TimeUnit.SECONDS);
        }
        // Its shutdown waits for what is to run later, which is up to a second.
        Object deliveries = Internals.get(getScheduleMessageService(), "deliverExecutorService");
        if (deliveries == null) {
            return; // a slave delivers nothing
        }
        ((ScheduledThreadPoolExecutor) deliveries).setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** The client of a slave, which every store has, keeps its selector. */
    void endLeftovers() throws Exception {
        Object client = Internals.get(getHaService(), "haClient");
        ((Selector) Internals.get(client, "selector")).close();
    }
}
