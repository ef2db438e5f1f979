import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.pulsar.client.api.CompressionType;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.TypedMessageBuilder;

/** Publishes with Pulsar's own Java client what work.ts describes, and prints the answer it describes. */
public final class JavaPublisher {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static byte[][] values;

    public static void main(String[] args) throws Exception {
        JsonNode work = JSON.readTree(args[0]);
        PrintStream out = System.out;
        // The client's own threads log to standard output unless told otherwise.
        System.setOut(System.err);
        Random random = new Random();
        values = new byte[100][work.get("bytes").asInt()];
        for (byte[] value : values) {
            random.nextBytes(value);
        }
        try (PulsarClient client = PulsarClient.builder()
                        .serviceUrl(work.get("url").asText())
                        .ioThreads(1)
                        .build();
                Producer<byte[]> producer = client.newProducer(Schema.BYTES)
                        .topic(work.get("topic").asText())
                        .compressionType(CompressionType.valueOf(work.get("compression").asText()))
                        .enableBatching(work.get("batching").asBoolean())
                        .batchingMaxMessages(1_000)
                        .batchingMaxBytes(131_072)
                        .batchingMaxPublishDelay(10, TimeUnit.MILLISECONDS)
                        .maxPendingMessages(work.get("pending").asInt())
                        .blockIfQueueFull(true)
                        .sendTimeout(0, TimeUnit.MILLISECONDS)
                        .create()) {
            publish(producer, work.get("warmUp").asInt());
            OperatingSystemMXBean system =
                    (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long cpu = system.getProcessCpuTime();
            long start = System.nanoTime();
            long stored = publish(producer, work.get("messages").asInt());
            ObjectNode answer = JSON.createObjectNode();
            answer.put("stored", stored);
            answer.put("wallSeconds", (System.nanoTime() - start) / 1e9);
            answer.put("cpuSeconds", (system.getProcessCpuTime() - cpu) / 1e9);
            answer.put("peakResidentBytes", peakResidentBytes());
            ArrayNode latencies = answer.putArray("latenciesMs");
            for (double latency : pace(producer, work.get("paced").asInt(), work.get("rate").asDouble())) {
                latencies.add(latency);
            }
            out.println(JSON.writeValueAsString(answer));
            out.flush();
        }
        // Netty's threads may take their time.
        Runtime.getRuntime().halt(0);
    }

    private static TypedMessageBuilder<byte[]> message(Producer<byte[]> producer, int index) {
        int which = index % values.length;
        return producer.newMessage()
                .key("partition-key-" + which)
                .eventTime(1_700_000_000_000L + which)
                .properties(Map.of(
                        "kinesis.arrival.timestamp", "1700000000000",
                        "kinesis.encryption.type", "NONE",
                        "kinesis.partition.key", "partition-key-" + which,
                        "kinesis.sequence.number", "4954498589532768542" + which))
                .value(values[which]);
    }

    private static long publish(Producer<byte[]> producer, int count) throws Exception {
        AtomicLong stored = new AtomicLong();
        CountDownLatch settled = new CountDownLatch(count);
        for (int index = 0; index < count; index++) {
            message(producer, index).sendAsync().whenComplete((id, error) -> {
                if (error == null) {
                    stored.incrementAndGet();
                }
                settled.countDown();
            });
        }
        producer.flush();
        settled.await();
        return stored.get();
    }

    /** Sends what is due each millisecond or so, however late the timer is. */
    private static double[] pace(Producer<byte[]> producer, int count, double rate) throws Exception {
        AtomicLongArray nanos = new AtomicLongArray(count);
        CountDownLatch settled = new CountDownLatch(count);
        long start = System.nanoTime();
        for (int sent = 0; sent < count; Thread.sleep(1)) {
            int due = (int) Math.min(count, (System.nanoTime() - start) / 1e9 * rate);
            for (; sent < due; sent++) {
                int index = sent;
                long sentAt = System.nanoTime();
                message(producer, index).sendAsync().whenComplete((id, error) -> {
                    nanos.set(index, error == null ? System.nanoTime() - sentAt : -1);
                    settled.countDown();
                });
            }
        }
        producer.flush();
        settled.await();
        double[] latencies = new double[count];
        for (int index = 0; index < count; index++) {
            latencies[index] = nanos.get(index) / 1e6;
        }
        return Arrays.stream(latencies).filter(latency -> latency >= 0).toArray();
    }

    private static long peakResidentBytes() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1_024;
            }
        }
        throw new IllegalStateException("/proc/self/status has no VmHWM");
    }
}
