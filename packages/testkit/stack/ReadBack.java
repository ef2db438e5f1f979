import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.AuthenticationFactory;
import org.apache.pulsar.client.api.ClientBuilder;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Reader;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.impl.MessageIdImpl;
import org.apache.pulsar.client.impl.TopicMessageIdImpl;

/**
 * Prints the messages of topics, from the earliest, as one JSON line each: the eyes of the tests, on Pulsar's own client.
 *
 * <p>{@code java -cp 'jars/*' ReadBack.java <serviceUrl> <count> <idleMs> <bytesUpTo> <topic>...}, the token in PULSAR_TOKEN.
 * Ends after {@code count} messages (0: any number), or when all was read and none came for {@code idleMs} (0: never).
 * Payloads of up to {@code bytesUpTo} bytes are printed as base64, all as length and SHA-256.
 */
public final class ReadBack {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Standard input is a pipe from the parent: its end is the parent's end, however that came. */
    private static void endWithParent() {
        Thread watch = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
            } catch (java.io.IOException e) {
                // As good as an end.
            }
            Runtime.getRuntime().halt(1);
        });
        watch.setDaemon(true);
        watch.start();
    }

    public static void main(String[] args) throws Exception {
        endWithParent();
        String serviceUrl = args[0];
        long count = Long.parseLong(args[1]);
        int idleMs = Integer.parseInt(args[2]);
        int bytesUpTo = Integer.parseInt(args[3]);
        List<String> topics = List.of(args).subList(4, args.length);
        PrintStream out =
                new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        // The client's own threads log to standard output unless told otherwise.
        System.setOut(System.err);
        try (PulsarClient client = client(serviceUrl);
                Reader<byte[]> reader = client.newReader(Schema.BYTES)
                        .topics(topics)
                        .startMessageId(MessageId.earliest)
                        .receiverQueueSize(1_000)
                        .create()) {
            out.println("{\"ready\":true}");
            out.flush();
            for (long read = 0; count == 0 || read < count; read++) {
                Message<byte[]> message = next(reader, out, idleMs);
                if (message == null) {
                    break;
                }
                out.println(JSON.writeValueAsString(row(message, bytesUpTo)));
            }
            out.println("{\"end\":true}");
            out.flush();
        }
        // Netty's threads may take their time.
        Runtime.getRuntime().halt(0);
    }

    private static PulsarClient client(String serviceUrl) throws Exception {
        ClientBuilder builder = PulsarClient.builder().serviceUrl(serviceUrl).ioThreads(1);
        String token = System.getenv("PULSAR_TOKEN");
        if (token != null && !token.isEmpty()) {
            builder.authentication(AuthenticationFactory.token(token));
        }
        String trust = System.getenv("PULSAR_TLS_TRUST_CERTS");
        if (trust != null && !trust.isEmpty()) {
            builder.tlsTrustCertsFilePath(trust);
        }
        return builder.build();
    }

    /** The next message; null when all that is there was read and nothing came for {@code idleMs}. */
    private static Message<byte[]> next(Reader<byte[]> reader, PrintStream out, int idleMs) throws Exception {
        Message<byte[]> message = reader.readNext(20, TimeUnit.MILLISECONDS);
        if (message == null) {
            // Only in a pause: a flush for each message costs more than the message.
            out.flush();
        }
        while (message == null) {
            message = reader.readNext(idleMs > 0 ? idleMs : 1_000, TimeUnit.MILLISECONDS);
            // A slow broker is not an empty topic: the broker itself must say that there is no more.
            if (message == null && idleMs > 0 && !reader.hasMessageAvailable()) {
                return null;
            }
        }
        return message;
    }

    private static ObjectNode row(Message<byte[]> message, int bytesUpTo) throws Exception {
        ObjectNode row = JSON.createObjectNode();
        MessageId id = message.getMessageId();
        if (id instanceof TopicMessageIdImpl) {
            id = ((TopicMessageIdImpl) id).getInnerMessageId();
        }
        byte[] data = message.getData();
        row.put("topic", message.getTopicName());
        row.put("id", id.toString());
        row.put("partition", id instanceof MessageIdImpl ? ((MessageIdImpl) id).getPartitionIndex() : -1);
        row.put("producer", message.getProducerName());
        row.put("sequenceId", Long.toString(message.getSequenceId()));
        if (message.hasKey()) {
            row.put("key", message.getKey());
        }
        row.set("properties", JSON.valueToTree(message.getProperties()));
        row.put("eventTime", message.getEventTime());
        row.put("publishTime", message.getPublishTime());
        row.put("length", data.length);
        row.put("sha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data)));
        if (data.length <= bytesUpTo) {
            row.put("base64", Base64.getEncoder().encodeToString(data));
        }
        return row;
    }
}
