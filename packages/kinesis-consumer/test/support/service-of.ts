import { GetRecordsCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import { systemClock } from "@pulsar-ts-io/core";
import type { KinesisService } from "../../src/aws-clients.ts";
import { AwsService } from "../../src/aws-service.ts";

/**
 * A client of the double, to be called as the consumer's own are.
 *
 * The bounds count real time: the SDK loads parts of itself at the first call, while a test's clock would race ahead.
 */
export function serviceOf(client: KinesisClient): KinesisService {
  return new AwsService(client, {
    clock: systemClock,
    callWithinMs: 20_000,
    customEndpoint: false,
    often: [GetRecordsCommand],
  });
}
