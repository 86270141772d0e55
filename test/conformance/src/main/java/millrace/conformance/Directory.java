package millrace.conformance;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.store.AppendMessageResult;
import org.apache.rocketmq.store.MappedFileQueue;
import org.apache.rocketmq.store.PutMessageResult;
import org.apache.rocketmq.store.ReferenceResource;
import org.apache.rocketmq.store.config.FlushDiskType;
import org.apache.rocketmq.store.config.MessageStoreConfig;

/** One store directory. Its commands are executed one after the other by a thread of its own: RocketMQ keeps a put buffer for each thread. */
final class Directory {
    private static final long AWAIT_MILLISECONDS = 30_000;
    private static final int MANUAL_ROUNDS = 20;
    /** RocketMQ leaves its files and mappings to the collector, which so small a heap hardly ever calls. */
    private static final int COLLECT_EVERY = 10;
    private static final AtomicInteger CLOSED = new AtomicInteger();

    private final String path;
    private final ThreadPoolExecutor thread = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final Map<List<Object>, Long> ends = new HashMap<>();
    private StoreClock clock;
    private RocketMqStore store;

    Directory(String path) {
        this.path = path;
        thread.allowCoreThreadTimeOut(true);
    }

    void submit(Consumer<Directory> task) {
        thread.execute(() -> task.accept(this));
    }

    /** Waits for the commands that were given; what is open stays so. */
    void finish() throws InterruptedException {
        thread.shutdown();
        thread.awaitTermination(1, TimeUnit.MINUTES);
    }

    @SuppressWarnings("unchecked")
    Object execute(String command, Map<String, Object> request) throws Exception {
        if ("open".equals(command)) {
            return open((Map<String, Object>) request.getOrDefault("options", Map.of()));
        }
        if (store == null) {
            throw new IllegalStateException("not open: " + path);
        }
        switch (command) {
            case "put":
                return put((List<Map<String, Object>>) request.get("puts"));
            case "settle":
                return settle();
            case "dump":
                return new Dump(store).of((Map<String, Object>) request.getOrDefault("probe", Map.of()));
            case "position":
                return Map.of("maxOffset", store.getMaxPhyOffset());
            case "deleteExpired":
                return deleteExpired();
            case "close":
                return close();
            default:
                throw new IllegalArgumentException("no such command: " + command);
        }
    }

    private Object open(Map<String, Object> options) throws Exception {
        if (store != null) {
            throw new IllegalStateException("Lock failed, MQ already started: open in this process");
        }
        refuseWhenLocked();
        clock = new StoreClock();
        RocketMqStore opening = construct(config(options), broker(options), clock);
        try {
            if (!opening.load()) {
                throw new IOException("load failed");
            }
            opening.start();
            // A store alone does not look at its own option.
            if (options.get("haMasterAddress") != null) {
                opening.updateHaMasterAddress((String) options.get("haMasterAddress"));
            }
        } catch (Throwable error) {
            abandon(opening);
            throw error;
        }
        store = opening;
        return Map.of("recovered", store.getMaxPhyOffset());
    }

    /** One at a time: the constructor fills a static map of RocketMQ's. */
    private static synchronized RocketMqStore construct(MessageStoreConfig config, BrokerConfig broker, StoreClock clock)
        throws IOException {
        return new RocketMqStore(config, broker, null, clock);
    }

    private static BrokerConfig broker(Map<String, Object> options) {
        BrokerConfig broker = new BrokerConfig();
        broker.setBrokerId("SLAVE".equals(options.get("brokerRole")) ? 1 : 0);
        return broker;
    }

    /** RocketMQ recovers, and with that changes, a directory before it asks for the lock. */
    private void refuseWhenLocked() throws IOException {
        new File(path).mkdirs();
        try (RandomAccessFile file = new RandomAccessFile(new File(path, "lock"), "rw");
            FileLock lock = file.getChannel().tryLock(0, 1, false)) {
            if (lock == null) {
                throw new IllegalStateException("Lock failed, MQ already started");
            }
        }
    }

    /** Gives the lock back and ends the threads of a store that did not get as far as shutdown() expects; the mappings go with the collector. */
    private static void abandon(RocketMqStore store) {
        try {
            store.getAllocateMappedFileService().shutdown();
            FileLock lock = (FileLock) Internals.get(store, "lock");
            if (lock != null) {
                lock.release();
            }
            ((RandomAccessFile) Internals.get(store, "lockFile")).close();
        } catch (Exception error) {
            error.printStackTrace();
        }
        System.gc();
    }

    private MessageStoreConfig config(Map<String, Object> options) {
        MessageStoreConfig config = new MessageStoreConfig();
        config.setStorePathRootDir(path);
        config.setStorePathCommitLog(path + File.separator + "commitlog");
        config.setHaListenPort(0);
        // No hour of the day, so that nothing is deleted but by the command.
        config.setDeleteWhen("24");
        config.setDiskMaxUsedSpaceRatio(95);
        config.setCleanFileForciblyEnable(false);
        config.setDeleteCommitLogFilesInterval(0);
        config.setDeleteConsumeQueueFilesInterval(0);
        RocketMqStore.configure(config, options);
        options.forEach((name, value) -> {
            switch (name) {
                case "mappedFileSizeCommitLog":
                    config.setMappedFileSizeCommitLog(((Number) value).intValue());
                    break;
                case "mappedFileSizeConsumeQueue":
                    config.setMappedFileSizeConsumeQueue(((Number) value).intValue());
                    break;
                case "maxHashSlotNum":
                    config.setMaxHashSlotNum(((Number) value).intValue());
                    break;
                case "maxIndexNum":
                    config.setMaxIndexNum(((Number) value).intValue());
                    break;
                case "maxMessageSize":
                    config.setMaxMessageSize(((Number) value).intValue());
                    break;
                case "flushDiskType":
                    config.setFlushDiskType(FlushDiskType.valueOf((String) value));
                    break;
                case "messageDelayLevel":
                    config.setMessageDelayLevel((String) value);
                    break;
                case "fileReservedTime":
                    config.setFileReservedTime(((Number) value).intValue());
                    break;
                case "brokerRole":
                    config.setBrokerRole((String) value);
                    break;
                case "haListenPort":
                    config.setHaListenPort(((Number) value).intValue());
                    break;
                case "haSendHeartbeatInterval":
                    config.setHaSendHeartbeatInterval(((Number) value).intValue());
                    break;
                case "slaveTimeout":
                    config.setSlaveTimeout(((Number) value).intValue());
                    break;
                case "inSyncReplicas":
                case "haMasterAddress":
                case "enabledAppendPropCRC":
                case "writeWithoutMmap":
                    break;
                default:
                    throw new IllegalArgumentException("no such option: " + name);
            }
        });
        return config;
    }

    private List<Object> put(List<Map<String, Object>> puts) {
        List<Object> answers = new ArrayList<>();
        for (Map<String, Object> put : puts) {
            answers.add(put(new Put(put)));
        }
        return answers;
    }

    private Map<String, Object> put(Put put) {
        if (put.storeTimestamp() != -1) {
            clock.standAt(put.storeTimestamp());
        }
        Map<String, Object> answer = new HashMap<>();
        PutMessageResult result;
        try {
            result = put.isBatch() ? store.putMessages(put.batch()) : store.putMessage(store.scheduled(put.single()));
        } catch (Exception error) {
            error.printStackTrace();
            answer.put("status", "THROWN");
            answer.put("reason", error.toString());
            return answer;
        }
        answer.put("status", statusName(result));
        AppendMessageResult appended = result.getAppendMessageResult();
        if (appended != null && appended.isOk()) {
            answer.put("offset", appended.getWroteOffset());
            answer.put("bytes", appended.getWroteBytes());
            answer.put("queueOffset", appended.getLogicsOffset());
            answer.put("storeTimestamp", appended.getStoreTimestamp());
            answer.put("msgId", appended.getMsgId());
            if (put.isQueued()) {
                ends.put(put.queue(), appended.getLogicsOffset() + put.count());
            }
        }
        return answer;
    }

    /** RocketMQ 5 spells two of them differently. */
    private static String statusName(PutMessageResult result) {
        return result.getPutMessageStatus().name().replace("MAPEDFILE", "MAPPED_FILE").replace("PAGECACHE", "PAGE_CACHE");
    }

    private Object settle() throws Exception {
        await(this::isSettled, () -> "not settled after 30 s: " + store.dispatchBehindBytes() + " bytes behind");
        return null;
    }

    private static void await(Callable<Boolean> condition, Supplier<String> failure) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(AWAIT_MILLISECONDS);
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(failure.get());
            }
            Thread.sleep(5);
        }
    }

    private boolean isSettled() throws Exception {
        if (store.dispatchBehindBytes() > 0 || !store.isAllDispatched()) {
            return false;
        }
        for (Map.Entry<List<Object>, Long> end : ends.entrySet()) {
            if (store.getMaxOffsetInQueue((String) end.getKey().get(0), (Integer) end.getKey().get(1)) < end.getValue()) {
                return false;
            }
        }
        return true;
    }

    /** On RocketMQ's own threads: after a minute it cleans by itself, and who comes in between finds half of it done. */
    private Object deleteExpired() throws Exception {
        Internals.pool(store, RocketMqStore.LOG_CLEANER).submit(this::cleanLog).get();
        Internals.pool(store, RocketMqStore.QUEUE_CLEANER).submit(this::cleanQueues).get();
        return null;
    }

    /** The rounds of executeDeleteFilesManually at once instead of one every ten seconds, until one finds nothing. */
    private Object cleanLog() throws Exception {
        Object logs = Internals.get(store, "cleanCommitLogService");
        store.executeDeleteFilesManually();
        long before = -2;
        boolean wasHeld = false;
        for (int round = 0; round < MANUAL_ROUNDS && (wasHeld || before != store.getMinPhyOffset()); round++) {
            before = store.getMinPhyOffset();
            Internals.run(logs, "run");
            wasHeld = wasHeld(store.getCommitLog());
        }
        Internals.run(logs, "setManualDeleteFileSeveralTimes", 0);
        return null;
    }

    private Object cleanQueues() throws Exception {
        Object queues = store.queueCleaner();
        boolean wasHeld = true;
        for (int round = 0; round < MANUAL_ROUNDS && wasHeld; round++) {
            Internals.set(queues, "lastPhysicalMinOffset", 0L); // else it looks at no file before the log's beginning has moved on
            Internals.run(queues, "run");
            wasHeld = false;
            for (List<Object> queue : ends.keySet()) {
                wasHeld |= wasHeld(store.getConsumeQueue((String) queue.get(0), (Integer) queue.get(1)));
            }
        }
        return null;
    }

    /**
     * A file that its flusher forces is condemned but not deleted, and none behind it, until somebody cleans again.
     * Whether there was one; its holder has let go of it.
     */
    private static boolean wasHeld(Object log) throws Exception {
        ReferenceResource first = (ReferenceResource) ((MappedFileQueue) Internals.get(log, "mappedFileQueue")).getFirstMappedFile();
        if (first == null || first.isAvailable()) {
            return false;
        }
        await(first::isCleanupOver, () -> "not let go of after 30 s: " + first);
        return true;
    }

    private Object close() throws Exception {
        RocketMqStore closing = store;
        store = null;
        ends.clear();
        // Ends the fixed sleep of shutdown(), which waits for requests that are under way: here are none.
        closing.endScheduledTasks();
        Thread.currentThread().interrupt();
        try {
            closing.shutdown();
        } finally {
            Thread.interrupted();
        }
        closing.endLeftovers();
        if (CLOSED.incrementAndGet() % COLLECT_EVERY == 0) {
            System.gc();
        }
        if (new File(path, "abort").exists()) {
            throw new IllegalStateException("not closed cleanly: the abort file stays");
        }
        return null;
    }
}
