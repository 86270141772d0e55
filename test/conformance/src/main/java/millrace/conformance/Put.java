package millrace.conformance;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.store.*;

/** A put as the protocol has it, and the message that a client and a broker would make of it. MessageExtBrokerInner is in one package or the other. */
final class Put {
    private static final char SEPARATOR = 2;

    private final List<Map<String, Object>> messages;
    private final boolean isBatch;
    private final boolean trailingSeparator;

    @SuppressWarnings("unchecked")
    Put(Map<String, Object> put) {
        messages = (List<Map<String, Object>>) put.get("messages");
        isBatch = Boolean.TRUE.equals(put.get("isBatch"));
        trailingSeparator = !Boolean.FALSE.equals(put.get("trailingSeparator"));
    }

    boolean isBatch() {
        return isBatch;
    }

    int count() {
        return messages.size();
    }

    /** -1 when none is given. */
    long storeTimestamp() {
        return number(messages.get(0), "storeTimestamp", -1);
    }

    List<Object> queue() {
        return List.of(messages.get(0).get("topic"), (int) number(messages.get(0), "queueId", 0));
    }

    /** Whether it appears in the queue that is named: not what is prepared, rolled back or delayed. */
    boolean isQueued() {
        if (isBatch) {
            return true;
        }
        Map<String, Object> message = messages.get(0);
        int type = MessageSysFlag.getTransactionValue((int) number(message, "sysFlag", 0));
        boolean isUndecided = type == MessageSysFlag.TRANSACTION_PREPARED_TYPE || type == MessageSysFlag.TRANSACTION_ROLLBACK_TYPE;
        return !isUndecided && !properties(message).containsKey(MessageConst.PROPERTY_DELAY_TIME_LEVEL);
    }

    MessageExtBrokerInner single() throws UnknownHostException {
        Map<String, Object> from = messages.get(0);
        MessageExtBrokerInner message = new MessageExtBrokerInner();
        fill(message, from);
        Map<String, String> properties = properties(from);
        MessageAccessor.setProperties(message, properties);
        message.setPropertiesString(propertyString(properties));
        message.setBody(body(from));
        message.setSysFlag((int) number(from, "sysFlag", 0));
        message.setFlag((int) number(from, "flag", 0));
        message.setPreparedTransactionOffset(number(from, "preparedTransactionOffset", 0));
        message.setTagsCode(MessageExtBrokerInner.tagsString2tagsCode(message.getTags()));
        return message;
    }

    MessageExtBatch batch() throws UnknownHostException {
        MessageExtBatch batch = new MessageExtBatch();
        fill(batch, messages.get(0));
        MessageAccessor.setProperties(batch, new HashMap<>());
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (Map<String, Object> message : messages) {
            body.writeBytes(encoded(message));
        }
        batch.setBody(body.toByteArray());
        return batch;
    }

    private static void fill(MessageExt message, Map<String, Object> from) throws UnknownHostException {
        message.setTopic((String) from.get("topic"));
        message.setQueueId((int) number(from, "queueId", 0));
        message.setBornTimestamp(number(from, "bornTimestamp", 0));
        message.setBornHost(host(from, "bornHost"));
        message.setStoreHost(host(from, "storeHost"));
        message.setReconsumeTimes((int) number(from, "reconsumeTimes", 0));
    }

    /** As a client encodes a message of a batch: size, magic and CRC (both 0), flag, body, properties. */
    private byte[] encoded(Map<String, Object> message) {
        byte[] body = body(message);
        byte[] properties = propertyString(properties(message)).getBytes(StandardCharsets.UTF_8);
        int size = 4 + 4 + 4 + 4 + 4 + body.length + 2 + properties.length;
        return ByteBuffer.allocate(size).putInt(size).putInt(0).putInt(0).putInt((int) number(message, "flag", 0))
            .putInt(body.length).put(body).putShort((short) properties.length).put(properties).array();
    }

    private String propertyString(Map<String, String> properties) {
        String text = MessageDecoder.messageProperties2String(properties);
        boolean hasSeparator = !text.isEmpty() && text.charAt(text.length() - 1) == SEPARATOR;
        if (text.isEmpty() || hasSeparator == trailingSeparator) {
            return text;
        }
        return trailingSeparator ? text + SEPARATOR : text.substring(0, text.length() - 1);
    }

    /** A map as a client's message has it, filled in the order given. */
    @SuppressWarnings("unchecked")
    private static Map<String, String> properties(Map<String, Object> message) {
        Map<String, String> properties = new HashMap<>();
        for (List<String> property : (List<List<String>>) message.getOrDefault("properties", List.of())) {
            properties.put(property.get(0), property.get(1));
        }
        return properties;
    }

    private static byte[] body(Map<String, Object> message) {
        return Base64.getDecoder().decode((String) message.getOrDefault("body", ""));
    }

    @SuppressWarnings("unchecked")
    private static InetSocketAddress host(Map<String, Object> message, String name) throws UnknownHostException {
        Map<String, Object> host = (Map<String, Object>) message.getOrDefault(name, Map.of("address", "127.0.0.1", "port", 0L));
        return new InetSocketAddress(InetAddress.getByName((String) host.get("address")), (int) number(host, "port", 0));
    }

    private static long number(Map<String, Object> from, String name, long otherwise) {
        Object value = from.get(name);
        return value == null ? otherwise : ((Number) value).longValue();
    }
}
