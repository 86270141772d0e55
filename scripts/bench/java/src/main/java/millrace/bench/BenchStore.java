package millrace.bench;

import java.lang.reflect.Constructor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.config.FlushDiskType;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.stats.BrokerStatsManager;

/** RocketMQ's store as its broker runs it, but for what a configuration of the bench changes. */
final class BenchStore {
    private static final int POLL_MS = 1;
    private static final int SLAVE_TIMEOUT_MS = 60_000;
    private static final String ALLOCATOR = "AllocateMappedFileService";

    private BenchStore() {
    }

    /** @param role of a pair, otherwise null */
    static DefaultMessageStore open(String configuration, FlushDiskType flushDiskType, String directory, int segmentSize, String role,
        int haPort) throws Exception {
        MessageStoreConfig config = new MessageStoreConfig();
        config.setStorePathRootDir(directory);
        config.setStorePathCommitLog(Path.of(directory, "commitlog").toString());
        config.setMappedFileSizeCommitLog(segmentSize);
        config.setFlushDiskType(flushDiskType);
        config.setHaListenPort("SYNC_MASTER".equals(role) ? haPort : 0);
        if (role != null) {
            config.setBrokerRole(role);
            config.setSlaveTimeout(SLAVE_TIMEOUT_MS);
            waitForOneSlave(config);
        }
        config.setWarmMapedFileEnable(configuration.equals("warm"));
        config.setTransientStorePoolEnable(configuration.equals("pool"));
        boolean isSlave = "SLAVE".equals(role);
        DefaultMessageStore store = create(config, isSlave ? 1 : 0);
        if (!store.load()) {
            throw new IllegalStateException("the store could not be loaded");
        }
        store.start();
        if (isSlave) {
            store.updateHaMasterAddress("127.0.0.1:" + haPort);
        }
        return store;
    }

    /** RocketMQ 4 has no such option, and waits for one slave. */
    private static void waitForOneSlave(MessageStoreConfig config) throws Exception {
        try {
            MessageStoreConfig.class.getMethod("setInSyncReplicas", int.class).invoke(config, 2);
        } catch (NoSuchMethodException error) {
            // as said above
        }
    }

    /** RocketMQ 5 has a fifth argument, the topics' configurations. */
    private static DefaultMessageStore create(MessageStoreConfig config, long brokerId) throws Exception {
        BrokerConfig broker = new BrokerConfig();
        broker.setBrokerId(brokerId);
        Constructor<?> constructor = DefaultMessageStore.class.getConstructors()[0];
        Object[] arguments = {config, new BrokerStatsManager("bench", true), null, broker, new ConcurrentHashMap<>()};
        return (DefaultMessageStore) constructor.newInstance(Arrays.copyOf(arguments, constructor.getParameterCount()));
    }

    /** Until all that was put is dispatched and on the disk, and the next segment is ready. */
    static void settle(DefaultMessageStore store) throws InterruptedException {
        while (store.dispatchBehindBytes() > 0 || isAllocating()) {
            Thread.sleep(POLL_MS);
        }
        store.flush();
    }

    static void dispatched(DefaultMessageStore store) throws InterruptedException {
        while (store.dispatchBehindBytes() > 0) {
            Thread.sleep(POLL_MS);
        }
    }

    /** It waits when it has nothing to do, and does not while it warms a file. */
    private static boolean isAllocating() {
        return Thread.getAllStackTraces().keySet().stream()
            .anyMatch(thread -> thread.getName().endsWith(ALLOCATOR) && thread.getState() != Thread.State.WAITING);
    }
}
