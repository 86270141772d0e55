package millrace.conformance;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads commands from the standard input and answers on the standard output; README.md of this project has the protocol. */
public final class StoreProgram {
    private final PrintStream out;
    private final Map<String, Directory> directories = new HashMap<>();

    private StoreProgram(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        // The RocksDB that 5 opens in every store logs below the home directory: below one that does not exist it logs nothing.
        System.setProperty("user.home", Path.of(System.getProperty("java.io.tmpdir"), "millrace-no-home-" + ProcessHandle.current().pid()).toString());
        // A full disk of this machine is not the store's: it must neither refuse puts nor delete.
        System.setProperty("rocketmq.broker.diskSpaceWarningLevelRatio", "0.99");
        System.setProperty("rocketmq.broker.diskSpaceCleanForciblyRatio", "0.99");
        StoreProgram program = new StoreProgram(out);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.isBlank()) {
                program.take(line);
            }
        }
        for (Directory directory : program.directories.values()) {
            directory.finish();
        }
        System.exit(0);
    }

    @SuppressWarnings("unchecked")
    private void take(String line) {
        Map<String, Object> request = (Map<String, Object>) Json.read(line);
        String command = (String) request.get("command");
        if ("halt".equals(command)) {
            Runtime.getRuntime().halt(137);
        }
        if (!(request.get("directory") instanceof String)) {
            answer(request.get("id"), "error", "no directory");
            return;
        }
        String path = Path.of((String) request.get("directory")).toAbsolutePath().normalize().toString();
        directories.computeIfAbsent(path, Directory::new).submit(directory -> {
            try {
                answer(request.get("id"), "result", directory.execute(command, request));
            } catch (Throwable error) {
                error.printStackTrace();
                answer(request.get("id"), "error", error.getMessage() == null ? error.toString() : error.getMessage());
            }
        });
    }

    private void answer(Object id, String name, Object value) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("id", id);
        answer.put(name, value);
        byte[] line = (Json.write(answer) + "\n").getBytes(StandardCharsets.US_ASCII);
        synchronized (out) {
            out.write(line, 0, line.length);
            out.flush();
        }
    }
}
