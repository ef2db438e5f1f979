import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { BenchStream } from "./bench-stream.ts";

/** Whether the lease table says of every shard that its last record is done. */
export async function isCheckpointed(
  dynamoEndpoint: string,
  table: string,
  { lastSequenceNumbers }: BenchStream,
): Promise<boolean> {
  const client = new DynamoDBClient({
    endpoint: dynamoEndpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  try {
    const { Items: leases = [] } = await client.send(new ScanCommand({ TableName: table }));
    const done = leases.filter(
      ({ leaseKey, checkpoint }) => lastSequenceNumbers.get(leaseKey?.S ?? "") === checkpoint?.S,
    );
    return done.length === lastSequenceNumbers.size;
  } finally {
    client.destroy();
  }
}
