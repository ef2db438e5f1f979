import java.net.URI;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

/**
 * Puts a record, and reads the shard by polling and by a subscription, with the protocols that the AWS SDK for Java chooses by
 * itself: one JSON line for each record. Arguments: endpoint, stream, shard, ARN of a consumer.
 */
public final class SdkReader {
    public static void main(String[] args) throws Exception {
        String stream = args[1];
        String shard = args[2];
        KinesisAsyncClient client = KinesisAsyncClient.builder()
                .region(Region.US_EAST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")))
                .endpointOverride(URI.create(args[0]))
                .build();
        client.putRecord(put -> put.streamName(stream).partitionKey("k").data(SdkBytes.fromUtf8String("from Java"))).get();
        String iterator = client.getShardIterator(get -> get.streamName(stream)
                        .shardId(shard)
                        .shardIteratorType(ShardIteratorType.TRIM_HORIZON))
                .get()
                .shardIterator();
        client.getRecords(get -> get.shardIterator(iterator)).get().records().forEach(record -> print("poll", record));
        client.subscribeToShard(
                        subscribe -> subscribe.consumerARN(args[3]).shardId(shard).startingPosition(from ->
                                from.type(ShardIteratorType.TRIM_HORIZON)),
                        SubscribeToShardResponseHandler.builder()
                                .subscriber(SubscribeToShardResponseHandler.Visitor.builder()
                                        .onSubscribeToShardEvent(event -> {
                                            event.records().forEach(record -> print("event", record));
                                            if (!event.childShards().isEmpty()) {
                                                System.out.println("end " + event.childShards().size());
                                            }
                                        })
                                        .build())
                                .build())
                .get(60, TimeUnit.SECONDS);
        Runtime.getRuntime().halt(0);
    }

    private static void print(String how, Record record) {
        System.out.println(how + " " + record.data().asUtf8String() + " "
                + record.approximateArrivalTimestamp().toEpochMilli());
    }
}
