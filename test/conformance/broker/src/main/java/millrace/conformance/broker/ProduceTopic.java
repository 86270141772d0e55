package millrace.conformance.broker;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Sends what stands on the standard input, a message a line: topic, queueId, tags, key, delay ("0", a delay level, or seconds as "30s": RocketMQ 5's
 * timer), what ("send", or the answer of a transaction: COMMIT_MESSAGE, ROLLBACK_MESSAGE, UNKNOW), body; separated by tabs. Prints a line for each.
 * Meanwhile it answers COMMIT_MESSAGE when the broker asks for a transaction whose body begins with "decide". Ends with its input.
 */
public final class ProduceTopic {
    private ProduceTopic() {
    }

    /** Arguments: name server, producer group. */
    public static void main(String[] args) throws Exception {
        TransactionMQProducer producer = new TransactionMQProducer(args[1]);
        producer.setNamesrvAddr(args[0]);
        producer.setSendMsgTimeout(10_000);
        producer.setTransactionListener(new Answers());
        producer.start();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                SendResult result = send(producer, line.split("\t", 7));
                MessageQueue queue = result.getMessageQueue();
                System.out.println(String.join("\t", result.getSendStatus().name(), queue.getTopic(), String.valueOf(queue.getQueueId()),
                    String.valueOf(result.getQueueOffset()), result.getOffsetMsgId()));
            }
        } finally {
            producer.shutdown();
        }
        System.exit(0);
    }

    private static SendResult send(TransactionMQProducer producer, String[] fields) throws Exception {
        Message message = new Message(fields[0], fields[2], fields[3], fields[6].getBytes(StandardCharsets.UTF_8));
        if (fields[4].endsWith("s")) {
            MessageAccessor.putProperty(message, "TIMER_DELAY_SEC", fields[4].substring(0, fields[4].length() - 1));
        } else if (!fields[4].equals("0")) {
            message.setDelayTimeLevel(Integer.parseInt(fields[4]));
        }
        if (!fields[5].equals("send")) {
            return producer.sendMessageInTransaction(message, LocalTransactionState.valueOf(fields[5]));
        }
        int queueId = Integer.parseInt(fields[1]);
        return producer.send(message, (queues, ignored, id) ->
            queues.stream().filter(queue -> queue.getQueueId() == queueId).findFirst().orElseThrow(), null);
    }

    private static final class Answers implements TransactionListener {
        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object state) {
            return (LocalTransactionState) state;
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            boolean decides = new String(message.getBody(), StandardCharsets.UTF_8).startsWith("decide");
            System.out.println("CHECKED\t" + new String(message.getBody(), StandardCharsets.UTF_8));
            return decides ? LocalTransactionState.COMMIT_MESSAGE : LocalTransactionState.UNKNOW;
        }
    }
}
