import type { SourceRecord } from "@pulsar-ts-io/core";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type DeliveredRecord, KinesisSourceRecord, resolveRecordShape } from "../src/kinesis-record.ts";
import { fileText, options } from "./kinesis-config.ts";

/** What Java's connector wrote, with all six properties asked for. */
interface JavaMessage {
  readonly key: string;
  readonly props: Readonly<Record<string, string>>;
}
const javaMessages: readonly JavaMessage[] = fileText("golden/java-connector-messages.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const allProperties = Object.keys(javaMessages[0]?.props ?? {}).join(",");

function delivered(over: Partial<DeliveredRecord> = {}): DeliveredRecord {
  return {
    data: new Uint8Array([0xff, 0x00, 0xc3]),
    partitionKey: "key",
    sequenceNumber: "49680454019532979694477328477365001239176916102524436498",
    shardId: "shardId-000000000001",
    arrival: new Date("2026-11-22T07:59:39.695Z"),
    encryptionType: "NONE",
    millisBehindLatest: 0,
    partitionId: "shardId-000000000001",
    recordSequence: undefined,
    ack: () => {},
    ...over,
  };
}

function recordOf(source: DeliveredRecord, config: Record<string, unknown> = {}): KinesisSourceRecord {
  return new KinesisSourceRecord(source, resolveRecordShape(options(config)));
}

describe("a record", () => {
  it.each(javaMessages.map((message) => [message.key, message] as const))(
    "of the key %s has the key and the properties that Java's connector gave it",
    (_key, { key, props }) => {
      const source = delivered({
        partitionKey: props["kinesis.partition.key"] ?? "",
        sequenceNumber: props["kinesis.sequence.number"] ?? "",
        shardId: props["kinesis.shard.id"] ?? "",
        arrival: new Date(props["kinesis.arrival.timestamp"] ?? ""),
        encryptionType: props["kinesis.encryption.type"] ?? "",
        millisBehindLatest: Number(props["kinesis.millis.behind.latest"]),
      });
      const record = recordOf(source, { kinesisRecordProperties: allProperties });
      expect(record.properties).toEqual(props);
      expect(record.key).toBe(key);
    },
  );

  it("has the four properties of Java's default", () => {
    expect(Object.keys(recordOf(delivered()).properties)).toEqual([
      "kinesis.arrival.timestamp",
      "kinesis.encryption.type",
      "kinesis.partition.key",
      "kinesis.sequence.number",
    ]);
  });

  it("has the properties that were asked for, and none for an empty list", () => {
    fc.assert(
      fc.property(
        fc.subarray(allProperties.split(",")),
        fc.constantFrom(",", " , ", ",,"),
        (names, separator) => {
          const { properties } = recordOf(delivered(), { kinesisRecordProperties: names.join(separator) });
          expect(Object.keys(properties).sort()).toEqual([...names].sort());
        },
      ),
    );
  });

  it("has no arrival property and no event time when Kinesis gave no arrival", () => {
    const record = recordOf(delivered({ arrival: undefined }));
    expect(record.properties).not.toHaveProperty(["kinesis.arrival.timestamp"]);
    expect(record.eventTime).toBeUndefined();
  });

  it("has the shard id for a key when that is the mode", () => {
    expect(recordOf(delivered(), { messageKeyMode: "SHARD_ID" }).key).toBe("shardId-000000000001");
  });

  it("has the very bytes of Kinesis, its arrival time for an event time, its shard for a partition", () => {
    const source = delivered();
    const record = recordOf(source);
    expect(record.value).toBe(source.data);
    expect(record.eventTime).toBe(Date.parse("2026-11-22T07:59:39.695Z"));
    expect(record.partitionId).toBe("shardId-000000000001");
    expect(record.recordSequence).toBeUndefined();
  });

  it("has the epoch of its shard for a partition, and its number, where records are numbered", () => {
    const partitionId = "pulsar-kinesis/shardId-000000000001/a-uuid";
    const record = recordOf(delivered({ partitionId, recordSequence: 7n }));
    expect(record.partitionId).toBe(partitionId);
    expect(record.recordSequence).toBe(7n);
  });

  it("passes its acknowledgement on, and leaves it to the host to end when it can never be published", () => {
    const source = delivered({ ack: vi.fn() });
    const record: SourceRecord = recordOf(source);
    record.ack();
    expect(source.ack).toHaveBeenCalledOnce();
    expect(record.fail).toBeUndefined();
  });
});
