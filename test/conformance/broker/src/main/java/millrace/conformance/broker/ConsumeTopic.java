package millrace.conformance.broker;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Consumes a topic with a group until so many messages have come (or the seconds are over), then commits and ends. Prints a line for each:
 * queueId, queueOffset, physical offset, tags, keys, bytes of the body, body; separated by tabs. Too few: exit code 1.
 */
public final class ConsumeTopic {
    private ConsumeTopic() {
    }

    /** Arguments: name server, group, topic, number of messages, seconds. */
    public static void main(String[] args) throws Exception {
        CountDownLatch wanted = new CountDownLatch(Integer.parseInt(args[3]));
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[1]);
        consumer.setNamesrvAddr(args[0]);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        // The last message is counted before the client knows that it was consumed.
        consumer.setAwaitTerminationMillisWhenShutdown(10_000);
        consumer.subscribe(args[2], "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            for (MessageExt message : messages) {
                print(message);
                wanted.countDown();
            }
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        boolean complete = wanted.await(Integer.parseInt(args[4]), TimeUnit.SECONDS);
        consumer.shutdown();
        System.out.flush();
        System.exit(complete ? 0 : 1);
    }

    private static synchronized void print(MessageExt message) {
        System.out.println(String.join("\t", String.valueOf(message.getQueueId()), String.valueOf(message.getQueueOffset()),
            String.valueOf(message.getCommitLogOffset()), String.valueOf(message.getTags()), String.valueOf(message.getKeys()),
            String.valueOf(message.getBody().length), new String(message.getBody(), StandardCharsets.UTF_8)));
    }
}
