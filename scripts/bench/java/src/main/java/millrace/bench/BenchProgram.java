package millrace.bench;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.rocketmq.store.*;
import org.apache.rocketmq.store.config.FlushDiskType;

/**
 * RocketMQ's store under the bench's commands. Arguments: configuration (default, warm, pool), flush disk type, directory, segment size;
 * of a pair also its role (SYNC_MASTER, SLAVE) and the port on which the master accepts the slave.
 * A command is a line of words on the standard input, its answer a line of JSON on the standard output; the end of the input ends the program,
 * and the store with it.
 *
 * <pre>
 *   put messageSize inFlight warmUpMs milliseconds   puts; afterwards waits, not measured, until the store is at rest
 *   drive messageSize inFlight warmUpMs milliseconds   the same into nothing: what the driver costs
 *   read messageSize messages warmUpMs milliseconds   fills queue 0, reads all of it in order, then single messages at random
 * </pre>
 */
public final class BenchProgram {
    private static final int QUEUES = 4;
    private static final int FILL_WINDOW = 1024;
    private static final long NANOS_IN_MS = 1_000_000;
    private static final CompletableFuture<PutMessageResult> ACKNOWLEDGED = CompletableFuture.completedFuture(
        new PutMessageResult(PutMessageStatus.PUT_OK, new AppendMessageResult(AppendMessageStatus.PUT_OK)));

    private final DefaultMessageStore store;

    private BenchProgram(DefaultMessageStore store) {
        this.store = store;
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        System.setOut(System.err);
        int code = 1;
        try {
            BenchProgram program = new BenchProgram(
                BenchStore.open(args[0], FlushDiskType.valueOf(args[1]), args[2], Integer.parseInt(args[3]),
                    args.length > 4 ? args[4] : null, args.length > 5 ? Integer.parseInt(args[5]) : 0));
            BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                answers.println(program.perform(line.split(" ")));
            }
            code = 0;
        } catch (Throwable error) {
            error.printStackTrace();
        }
        Runtime.getRuntime().halt(code);
    }

    private String perform(String[] words) throws Exception {
        int messageSize = Integer.parseInt(words[1]);
        int count = Integer.parseInt(words[2]);
        long warmUpNanos = Long.parseLong(words[3]) * NANOS_IN_MS;
        long nanos = Long.parseLong(words[4]) * NANOS_IN_MS;
        switch (words[0]) {
            case "put":
                PutWindow window = new PutWindow(store::asyncPutMessage, new MessageContent(messageSize, QUEUES), count);
                return put(window, warmUpNanos, nanos);
            case "drive":
                return put(new PutWindow(message -> ACKNOWLEDGED, new MessageContent(messageSize, QUEUES), count), warmUpNanos, nanos);
            case "read":
                return read(messageSize, count, warmUpNanos, nanos);
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private String put(PutWindow window, long warmUpNanos, long nanos) throws Exception {
        window.run(Long.MAX_VALUE, warmUpNanos);
        BenchStore.dispatched(store);
        long cpuNanos = cpuNanos();
        PutFigure figure = window.run(Long.MAX_VALUE, nanos);
        long behindBytes = store.dispatchBehindBytes();
        BenchStore.dispatched(store);
        String answer = figure.toJson(behindBytes, cpuNanos() - cpuNanos);
        BenchStore.settle(store);
        return answer;
    }

    /** Of all threads of the process, the collector's and the compiler's included, in user mode and in the kernel; in steps of 10 ms. */
    private static long cpuNanos() {
        return ProcessHandle.current().info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    private String read(int messageSize, int messages, long warmUpNanos, long nanos) throws Exception {
        PutFigure filled = new PutWindow(store::asyncPutMessage, new MessageContent(messageSize, 1), FILL_WINDOW).run(messages, Long.MAX_VALUE);
        if (filled.statuses().getOrDefault(PutFigure.OK, 0L) != messages) {
            throw new IllegalStateException("a put failed: " + filled.statuses());
        }
        BenchStore.settle(store);
        ReadLoop loop = new ReadLoop(store, messageSize, messages);
        loop.scan(warmUpNanos);
        double msgPerSec = loop.scan(nanos);
        loop.gets(warmUpNanos);
        LatencyHistogram gets = loop.gets(nanos);
        return "{\"scanMsgPerSec\":" + msgPerSec + ",\"getP50Us\":" + gets.quantileUs(0.5) + ",\"getP99Us\":" + gets.quantileUs(0.99) + "}";
    }
}
