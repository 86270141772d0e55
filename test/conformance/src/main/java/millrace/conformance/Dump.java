package millrace.conformance;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.store.GetMessageResult;
import org.apache.rocketmq.store.QueryMessageResult;

/** What can be read of a store, as lines. */
final class Dump {
    private static final String GROUP = "conformance";
    private static final int MAX_MESSAGES = 32;
    private static final int MAX_KEYS = 64;
    private static final int PHYSICAL_OFFSET_POSITION = 28;

    private final RocketMqStore store;
    private final List<Object> lines = new ArrayList<>();

    Dump(RocketMqStore store) {
        this.store = store;
    }

    @SuppressWarnings("unchecked")
    List<Object> of(Map<String, Object> probe) throws Exception {
        List<List<Object>> queues = (List<List<Object>>) probe.getOrDefault("queues", List.of());
        line("log", "minOffset", store.getMinPhyOffset(), "maxOffset", store.getMaxPhyOffset());
        for (List<Object> queue : queues) {
            line("queue", "topic", topic(queue), "queueId", queueId(queue), "minOffset", min(queue), "maxOffset", max(queue));
        }
        for (List<Object> queue : queues) {
            messages(queue);
        }
        for (List<Object> queue : queues) {
            gets(queue);
        }
        for (List<Object> queue : queues) {
            for (Number time : (List<Number>) probe.getOrDefault("times", List.of())) {
                line("time", "topic", topic(queue), "queueId", queueId(queue), "time", time,
                    "lower", store.offsetByTime(topic(queue), queueId(queue), time.longValue(), false),
                    "upper", store.offsetByTime(topic(queue), queueId(queue), time.longValue(), true));
            }
        }
        for (List<Object> queue : queues) {
            line("timestamp", "topic", topic(queue), "queueId", queueId(queue),
                "earliest", store.getEarliestMessageTime(topic(queue), queueId(queue)),
                "first", timestamp(queue, min(queue)), "last", timestamp(queue, max(queue) - 1), "beyond", timestamp(queue, max(queue)));
        }
        for (List<String> key : (List<List<String>>) probe.getOrDefault("keys", List.of())) {
            line("key", "topic", key.get(0), "key", key.get(1), "offsets", offsetsOf(key.get(0), key.get(1)));
        }
        for (Number offset : (List<Number>) probe.getOrDefault("offsets", List.of())) {
            lookup(offset.longValue());
        }
        // RocketMQ takes the first sample a second after start and until then throws when asked.
        Internals.run(store.getStoreStatsService(), "sampling");
        Map<String, String> information = store.getRuntimeInfo();
        line("runtime", "commitLogMinOffset", Long.valueOf(information.get("commitLogMinOffset")),
            "commitLogMaxOffset", Long.valueOf(information.get("commitLogMaxOffset")));
        return lines;
    }

    private void messages(List<Object> queue) throws Exception {
        long end = max(queue);
        for (long from = min(queue); from >= 0 && from < end;) {
            GetMessageResult result = store.getMessage(GROUP, topic(queue), queueId(queue), from, MAX_MESSAGES, null);
            long next = result.getNextBeginOffset();
            try {
                long unit = from;
                for (ByteBuffer buffer : result.getMessageBufferList()) {
                    unit = message(queue, buffer, unit, next) + 1;
                }
            } finally {
                result.release();
            }
            if (next <= from) {
                return;
            }
            from = next;
        }
    }

    /** Adds the line of a record whose unit is in [from, to); returns where that is, `from` when there is none. */
    private long message(List<Object> queue, ByteBuffer buffer, long from, long to) throws Exception {
        long physicalOffset = buffer.getLong(PHYSICAL_OFFSET_POSITION);
        int size = buffer.remaining();
        String tagsCode = null;
        long at = from;
        for (long index = from; index < to && tagsCode == null; index++) {
            long[] unit = store.unit(topic(queue), queueId(queue), index);
            if (unit != null && unit[0] == physicalOffset) {
                tagsCode = Long.toString(unit[2]);
                at = index;
            }
        }
        MessageExt message = MessageDecoder.decode(buffer, true, false);
        if (message == null) {
            line("message", "physicalOffset", physicalOffset, "size", size, "tagsCode", tagsCode, "undecodable", true);
            return at;
        }
        byte[] body = message.getBody() == null ? new byte[0] : message.getBody();
        Map<String, String> properties = new TreeMap<>(message.getProperties() == null ? Map.of() : message.getProperties());
        properties.remove("__CRC32#");
        line("message", "topic", message.getTopic(), "queueId", message.getQueueId(), "queueOffset", message.getQueueOffset(),
            "physicalOffset", message.getCommitLogOffset(), "size", size, "tagsCode", tagsCode, "bodyCrc", message.getBodyCRC(),
            "bodySha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body)), "bodyLength", body.length,
            "flag", message.getFlag(), "sysFlag", message.getSysFlag(), "bornTimestamp", message.getBornTimestamp(),
            "bornHost", host(message.getBornHost()), "storeTimestamp", message.getStoreTimestamp(),
            "storeHost", host(message.getStoreHost()), "reconsumeTimes", message.getReconsumeTimes(),
            "preparedTransactionOffset", message.getPreparedTransactionOffset(), "properties", properties, "msgId", message.getMsgId());
        return at;
    }

    private void gets(List<Object> queue) throws Exception {
        long min = min(queue);
        long max = max(queue);
        for (long offset : new TreeSet<>(List.of(-1L, min - 1, min, max - 1, max, max + 1, max + 100))) {
            for (int maxMessages : new int[] {1, MAX_MESSAGES}) {
                GetMessageResult result = store.getMessage(GROUP, topic(queue), queueId(queue), offset, maxMessages, null);
                try {
                    line("get", "topic", topic(queue), "queueId", queueId(queue), "offset", offset, "maxMessages", maxMessages,
                        "status", result.getStatus().name(), "nextBeginOffset", result.getNextBeginOffset(), "minOffset", result.getMinOffset(),
                        "maxOffset", result.getMaxOffset(), "count", result.getMessageCount(), "bytes", result.getBufferTotalSize());
                } finally {
                    result.release();
                }
            }
        }
    }

    private List<Long> offsetsOf(String topic, String key) throws Exception {
        List<Long> offsets = new ArrayList<>();
        QueryMessageResult result = store.queryMessage(topic, key, MAX_KEYS, 0, Long.MAX_VALUE);
        try {
            for (ByteBuffer buffer : result.getMessageBufferList()) {
                offsets.add(buffer.getLong(PHYSICAL_OFFSET_POSITION));
            }
        } finally {
            result.release();
        }
        return offsets;
    }

    private void lookup(long offset) {
        MessageExt message;
        try {
            message = store.lookMessageByOffset(offset);
        } catch (RuntimeException error) {
            error.printStackTrace();
            message = null;
        }
        line("lookup", "offset", offset, "msgId", message == null ? null : message.getMsgId(), "size", message == null ? null : message.getStoreSize());
    }

    private long min(List<Object> queue) throws Exception {
        return store.getMinOffsetInQueue(topic(queue), queueId(queue));
    }

    private long max(List<Object> queue) throws Exception {
        return store.getMaxOffsetInQueue(topic(queue), queueId(queue));
    }

    private long timestamp(List<Object> queue, long offset) {
        return store.getMessageStoreTimeStamp(topic(queue), queueId(queue), offset);
    }

    private static String topic(List<Object> queue) {
        return (String) queue.get(0);
    }

    private static int queueId(List<Object> queue) {
        return ((Number) queue.get(1)).intValue();
    }

    private static Map<String, Object> host(SocketAddress address) {
        InetSocketAddress host = (InetSocketAddress) address;
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("address", host.getAddress().getHostAddress());
        out.put("port", host.getPort());
        return out;
    }

    private void line(String kind, Object... namesAndValues) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("kind", kind);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            line.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        lines.add(line);
    }
}
