package millrace.conformance;

import java.io.IOException;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.common.SystemClock;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.MessageArrivingListener;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.stats.BrokerStatsManager;

/** RocketMQ's store with a clock of our own, so that a record's store timestamp can be given. */
final class RocketMqStore extends DefaultMessageStore {
    private final SystemClock clock;

    RocketMqStore(MessageStoreConfig config, BrokerConfig broker, MessageArrivingListener listener, SystemClock clock)
        throws IOException {
        super(config, new BrokerStatsManager("conformance", true), listener, broker, new java.util.concurrent.ConcurrentHashMap<>());
        this.clock = clock;
    }

    /** The constructor of the superclass asks before the field is set. */
    @Override
    public SystemClock getSystemClock() {
        return clock == null ? super.getSystemClock() : clock;
    }
}
