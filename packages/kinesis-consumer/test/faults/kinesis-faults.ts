import type { FaultRule } from "@pulsar-ts-io/testkit";

const calls = ["GetRecords", "GetShardIterator", "ListShards", "SubscribeToShard"];
/** What of Kinesis may fail, one as often as the other. */
export const kinesisFaults: readonly FaultRule[] = [
  ...[...calls, "SubscribeToShardEvent"].flatMap((operation): readonly FaultRule[] => [
    { operation, effect: { kind: "refuse", error: "InternalFailure" } },
    { operation, effect: { kind: "reset" } },
    { operation, effect: { kind: "cut-answer" } },
    { operation, effect: { kind: "corrupt" } },
    { operation, effect: { kind: "hang-up" } },
    { operation, effect: { kind: "silence" } },
    { operation, effect: { kind: "half-open" } },
  ]),
  ...calls.flatMap((operation): readonly FaultRule[] => [
    { operation, effect: { kind: "refuse", error: "ProvisionedThroughputExceededException" } },
    { operation, effect: { kind: "refuse", error: "LimitExceededException" } },
    { operation, effect: { kind: "lose-answer" } },
    { operation, effect: { kind: "goaway" } },
    { operation, effect: { kind: "delay", ms: 7_000 } },
  ]),
  { operation: "SubscribeToShard", effect: { kind: "refuse", error: "ResourceInUseException" } },
];
