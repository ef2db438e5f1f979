import { KinesisClient } from "@aws-sdk/client-kinesis";
import { InProcessHandler } from "@pulsar-ts-io/testkit";
import { AwsKinesisStream } from "../../src/shard/aws-kinesis-stream.ts";
import type { MemoryLeaseTable } from "./memory-lease-table.ts";
import type { Rig } from "./rig.ts";
import { serviceOf } from "./service-of.ts";

/** The stream and the table of a rig, as a command sees them that is no worker. */
export function portsOf(rig: Rig): { readonly stream: AwsKinesisStream; readonly table: MemoryLeaseTable } {
  const client = new KinesisClient({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: new InProcessHandler(rig.service),
  });
  return {
    stream: new AwsKinesisStream(serviceOf(client), "orders", rig.clock),
    table: rig.table,
  };
}
