package millrace.bench;

import java.net.InetSocketAddress;
import java.util.HashMap;
import org.apache.rocketmq.common.message.*;
import org.apache.rocketmq.store.*;

/** The messages that the load generator makes (message-content.ts), as a broker hands them to the store: no tags, no keys, no properties. */
final class MessageContent {
    static final String TOPIC = "BenchmarkTest";
    private static final int SEED = 0x9e3779b9;
    private static final int STAMP_LENGTH = 8;
    private static final InetSocketAddress HOST = new InetSocketAddress("127.0.0.1", 10911);

    private final int queues;
    private final byte[] template;

    MessageContent(int messageSize, int queues) {
        this.queues = queues;
        template = new byte[messageSize];
        int state = SEED;
        for (int i = 0; i < messageSize; i++) {
            state ^= state << 13;
            state ^= state >>> 17;
            state ^= state << 5;
            template[i] = (byte) state;
        }
    }

    byte[] allocateBody() {
        return template.clone();
    }

    /** @param body from allocateBody; written to here */
    MessageExtBrokerInner message(long number, byte[] body) {
        stamp(body, 0, number);
        stamp(body, body.length - STAMP_LENGTH, number);
        MessageExtBrokerInner message = new MessageExtBrokerInner();
        message.setTopic(TOPIC);
        message.setQueueId((int) (number % queues));
        message.setBody(body);
        MessageAccessor.setProperties(message, new HashMap<>());
        message.setPropertiesString("");
        message.setBornTimestamp(System.currentTimeMillis());
        message.setBornHost(HOST);
        message.setStoreHost(HOST);
        return message;
    }

    private static void stamp(byte[] body, int at, long number) {
        for (int i = 0; i < STAMP_LENGTH; i++) {
            body[at + i] = (byte) (number >>> (8 * i));
        }
    }
}
