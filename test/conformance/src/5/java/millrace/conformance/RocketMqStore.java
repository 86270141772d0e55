package millrace.conformance;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.common.BoundaryType;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.common.SystemClock;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.common.topic.TopicValidator;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.MessageArrivingListener;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.queue.ConsumeQueueInterface;
import org.apache.rocketmq.store.queue.CqUnit;
import org.apache.rocketmq.store.stats.BrokerStatsManager;

/** RocketMQ's store with a clock of our own, so that a record's store timestamp can be given. */
final class RocketMqStore extends DefaultMessageStore {
    /** Fields: the pools, of one thread each, on which it cleans log and ConsumeQueues by itself. */
    static final String LOG_CLEANER = "scheduledExecutorService";
    static final String QUEUE_CLEANER = "scheduledCleanQueueExecutorService";

    /** Has threads of its own, so there is one for all stores. */
    private static final BrokerStatsManager STATS = new BrokerStatsManager("conformance", true);

    private final SystemClock clock;

    RocketMqStore(MessageStoreConfig config, BrokerConfig broker, MessageArrivingListener listener, SystemClock clock)
        throws IOException {
        super(config, STATS, listener, broker, new ConcurrentHashMap<>());
        this.clock = clock;
    }

    /** The constructor of the superclass asks before the field is set. */
    @Override
    public SystemClock getSystemClock() {
        return clock == null ? super.getSystemClock() : clock;
    }

    /** What 5 has beyond 4.9; timer wheel and compaction are off because both are threads that nothing here needs. */
    static void configure(MessageStoreConfig config, Map<String, Object> options) {
        boolean hasCrc = Boolean.TRUE.equals(options.get("enabledAppendPropCRC"));
        config.setEnabledAppendPropCRC(hasCrc);
        config.setForceVerifyPropCRC(hasCrc);
        if (options.get("inSyncReplicas") != null) {
            config.setInSyncReplicas(((Number) options.get("inSyncReplicas")).intValue());
        }
        config.setTimerWheelEnable(false);
        config.setEnableCompaction(false);
    }

    /** What the hook of a broker does, which a store alone does not have: a delayed message goes to the schedule topic. */
    MessageExtBrokerInner scheduled(MessageExtBrokerInner message) {
        int type = MessageSysFlag.getTransactionValue(message.getSysFlag());
        boolean isDecided = type == MessageSysFlag.TRANSACTION_NOT_TYPE || type == MessageSysFlag.TRANSACTION_COMMIT_TYPE;
        if (!isDecided || message.getDelayTimeLevel() <= 0) {
            return message;
        }
        if (message.getDelayTimeLevel() > getMaxDelayLevel()) {
            message.setDelayTimeLevel(getMaxDelayLevel());
        }
        MessageAccessor.putProperty(message, MessageConst.PROPERTY_REAL_TOPIC, message.getTopic());
        MessageAccessor.putProperty(message, MessageConst.PROPERTY_REAL_QUEUE_ID, String.valueOf(message.getQueueId()));
        message.setPropertiesString(MessageDecoder.messageProperties2String(message.getProperties()));
        message.setTopic(TopicValidator.RMQ_SYS_SCHEDULE_TOPIC);
        message.setQueueId(message.getDelayTimeLevel() - 1);
        return message;
    }

    /** dispatchBehindBytes() of SYNC_FLUSH counts to what is forced. */
    boolean isAllDispatched() {
        return getReputFromOffset() >= getMaxPhyOffset();
    }

    long offsetByTime(String topic, int queueId, long time, boolean isUpper) {
        return getOffsetInQueueByTime(topic, queueId, time, isUpper ? BoundaryType.UPPER : BoundaryType.LOWER);
    }

    /** Physical offset, size and tagsCode; null when there is no such unit. */
    long[] unit(String topic, int queueId, long index) {
        ConsumeQueueInterface queue = getConsumeQueue(topic, queueId);
        CqUnit unit = queue == null ? null : queue.get(index);
        return unit == null ? null : new long[] {unit.getPos(), unit.getSize(), unit.getTagsCode()};
    }

    Object queueCleaner() throws Exception {
        return Internals.get(getQueueStore(), "cleanConsumeQueueService");
    }

    /** The pools that shutdown() would end; it does not wait for them once it is interrupted. */
    void endScheduledTasks() throws Exception {
        for (String name : new String[] {LOG_CLEANER, QUEUE_CLEANER}) {
            ExecutorService pool = Internals.pool(this, name);
            pool.shutdown();
            pool.awaitTermination(3, TimeUnit.SECONDS);
        }
    }

    /** 5 opens a RocksDB in every store whether it is used or not, and leaves its pools running. */
    void endLeftovers() throws Exception {
        for (String name : new String[] {"scheduler", "reloadScheduler", "manualCompactionThread"}) {
            ((ExecutorService) Internals.get(getMessageRocksDBStorage(), name)).shutdown();
        }
    }
}
