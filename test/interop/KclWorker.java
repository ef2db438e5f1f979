import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of the Java KCL as Pulsar's connector drives it: one JSON line for each record and each event of a shard.
 *
 * <p>Arguments: name=value. It polls over HTTP/1.1, or subscribes over HTTP/2 (retrieval=fan-out). It ends with its standard
 * input: as that connector does, without a last checkpoint, or with one (stop=graceful). last=SEQUENCE/SUB: the record that is
 * the last to be handed out, and to be checkpointed.
 */
public final class KclWorker {
    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) {
            int at = arg.indexOf('=');
            options.put(arg.substring(0, at), arg.substring(at + 1));
        }
        Scheduler scheduler = scheduler(options);
        Thread running = new Thread(scheduler, "scheduler");
        running.start();
        while (System.in.read() >= 0) {}
        if (options.getOrDefault("stop", "connector").equals("graceful")) {
            scheduler.startGracefulShutdown().get(20, TimeUnit.SECONDS);
        } else {
            scheduler.shutdown();
            running.join(10_000);
        }
        print("{\"event\":\"stopped\"}");
        Runtime.getRuntime().halt(0);
    }

    private static Scheduler scheduler(Map<String, String> options) {
        StaticCredentialsProvider credentials =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
        Region region = Region.US_EAST_1;
        boolean fanOut = options.getOrDefault("retrieval", "polling").equals("fan-out");
        URI dynamoEndpoint = URI.create(options.get("dynamo"));
        KinesisAsyncClient kinesis = KinesisAsyncClient.builder()
                .region(region)
                .credentialsProvider(credentials)
                .endpointOverride(URI.create(options.get("kinesis")))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(fanOut ? Protocol.HTTP2 : Protocol.HTTP1_1))
                .build();
        DynamoDbAsyncClient dynamo = DynamoDbAsyncClient.builder()
                .region(region)
                .credentialsProvider(credentials)
                .endpointOverride(dynamoEndpoint)
                .build();
        CloudWatchAsyncClient cloudWatch = CloudWatchAsyncClient.builder()
                .region(region)
                .credentialsProvider(credentials)
                .endpointOverride(dynamoEndpoint)
                .build();
        long checkpointMs = Long.parseLong(options.getOrDefault("checkpointMs", "60000"));
        ConfigsBuilder configs = new ConfigsBuilder(
                options.get("stream"),
                options.get("application"),
                kinesis,
                dynamo,
                cloudWatch,
                options.get("worker"),
                () -> new Processor(checkpointMs, options.getOrDefault("last", "")));
        RetrievalSpecificConfig retrieval = fanOut
                ? new FanOutConfig(kinesis)
                        .streamName(options.get("stream"))
                        .applicationName(options.get("application"))
                : new PollingConfig(options.get("stream"), kinesis);
        return new Scheduler(
                configs.checkpointConfig(),
                coordinator(configs, options.get("version")),
                // After the first sync of an empty table KCL sleeps for so long, a minute unless told otherwise.
                configs.leaseManagementConfig().shardSyncIntervalMillis(1_000),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig()
                        .retrievalSpecificConfig(retrieval)
                        .initialPositionInStreamExtended(InitialPositionInStreamExtended.newInitialPosition(
                                InitialPositionInStream.valueOf(options.getOrDefault("from", "TRIM_HORIZON")))));
    }

    /** `version`: a ClientVersionConfig of KCL 3, which KCL 2 does not have. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static CoordinatorConfig coordinator(ConfigsBuilder configs, String version) {
        CoordinatorConfig config = configs.coordinatorConfig();
        if (version == null) return config;
        try {
            Class type = Class.forName("software.amazon.kinesis.coordinator.CoordinatorConfig$ClientVersionConfig");
            CoordinatorConfig.class.getMethod("clientVersionConfig", type).invoke(config, Enum.valueOf(type, version));
            return config;
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("this KCL has no client version " + version, e);
        }
    }

    private static synchronized void print(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private interface Checkpoint {
        void store() throws ShutdownException, InvalidStateException;
    }

    private static final class Processor implements ShardRecordProcessor {
        private final long checkpointMs;
        private final String last;
        private boolean done;
        private String shard = "";
        private RecordProcessorCheckpointer checkpointer;
        private long checkpointedAt = System.nanoTime();

        Processor(long checkpointMs, String last) {
            this.checkpointMs = checkpointMs;
            this.last = last;
        }

        @Override
        public void initialize(InitializationInput input) {
            shard = input.shardId();
            event("started", input.extendedSequenceNumber().sequenceNumber());
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            checkpointer = input.checkpointer();
            List<KinesisClientRecord> records = input.records();
            for (KinesisClientRecord record : records) {
                if (done) return;
                handOut(record);
            }
            long now = System.nanoTime();
            if (done || records.isEmpty() || now - checkpointedAt < TimeUnit.MILLISECONDS.toNanos(checkpointMs)) return;
            checkpointedAt = now;
            checkpoint(checkpointer::checkpoint);
        }

        /** The checkpoint that comes too late: KCL must refuse it, if there is anything to store. */
        @Override
        public void leaseLost(LeaseLostInput input) {
            event("lost", "");
            if (checkpointer != null) checkpoint(checkpointer::checkpoint);
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
            checkpoint(input.checkpointer()::checkpoint);
            event("ended", "");
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer()::checkpoint);
            event("requested", "");
        }

        private void handOut(KinesisClientRecord record) {
            String sequence = record.sequenceNumber();
            long sub = record.subSequenceNumber();
            ByteBuffer data = Base64.getEncoder().encode(record.data().duplicate());
            print("{\"event\":\"record\",\"shard\":\"" + shard + "\",\"sequence\":\"" + sequence + "\",\"sub\":" + sub
                    + ",\"data\":\"" + StandardCharsets.US_ASCII.decode(data) + "\"}");
            done = last.equals(sequence + "/" + sub);
            if (done) checkpoint(() -> checkpointer.checkpoint(sequence, sub));
        }

        private void checkpoint(Checkpoint checkpoint) {
            try {
                checkpoint.store();
                event("checkpointed", "");
            } catch (ShutdownException | InvalidStateException e) {
                event("refused", e.getClass().getSimpleName());
            }
        }

        private void event(String name, String detail) {
            print("{\"event\":\"" + name + "\",\"shard\":\"" + shard + "\",\"detail\":\"" + detail + "\"}");
        }
    }
}
