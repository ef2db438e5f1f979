import { Readable } from "node:stream";
import { KinesisClient, SubscribeToShardCommand } from "@aws-sdk/client-kinesis";
import { eventFrame } from "@pulsar-ts-io/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GetRecordsProtocol, readAsEvent } from "../../src/fetch/aws-get-records-protocol.ts";
import { toldChildren, toldRecord } from "../support/told-records.ts";

const event = fc.record(
  {
    Records: fc.array(toldRecord, { maxLength: 5 }),
    ContinuationSequenceNumber: fc.oneof(fc.string(), fc.constant(null)),
    MillisBehindLatest: fc.nat(),
    ChildShards: toldChildren,
    // The SDK keeps what it does not know of an object that names its type.
    __type: fc.constant("Event"),
    Unknown: fc.constant(1),
  },
  { requiredKeys: ["Records", "ContinuationSequenceNumber", "MillisBehindLatest"] },
);
const named = { getName: () => "SubscribeToShardEvent" };

describe("the events of a subscription", { timeout: 60_000 }, () => {
  it("are read as the SDK's own protocol reads them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 3 }), async (told) => {
        const bodies = told.map((one) => JSON.stringify(one));
        expect(await subscribe(bodies, true)).toEqual(await subscribe(bodies, false));
      }),
    );
  });

  it("are read in no other way than the SDK does when one is not as documented", async () => {
    await fc.assert(
      fc.asyncProperty(
        event,
        fc.nat(),
        fc.constantFrom('"', "!", "=", "-", "_", "0", "é", "[]"),
        async (told, at, text) => {
          const whole = JSON.stringify(told);
          const place = at % whole.length;
          const body = whole.slice(0, place) + text + whole.slice(place + 1);
          expect(await subscribe([body], true)).toEqual(await subscribe([body], false));
        },
      ),
    );
  });

  it("are not left to the SDK when they are as AWS sends them", () => {
    expect(readAsEvent(named, Buffer.from(eventWith({})))).toEqual({
      Records: [expect.objectContaining({ Data: Buffer.from("a") })],
      ContinuationSequenceNumber: "6",
      MillisBehindLatest: 0,
    });
  });

  it.each([
    ["no JSON", "{"],
    ["no way on", eventWith({ ContinuationSequenceNumber: null })],
    ["children", eventWith({ ChildShards: [] })],
    ["a type", eventWith({ __type: "Event" })],
    ["no distance", eventWith({ MillisBehindLatest: "0" })],
    ["no records", eventWith({ Records: null })],
  ])("are left to the SDK when one has %s", (_what, body) => {
    expect(readAsEvent(named, Buffer.from(body))).toBeUndefined();
  });

  it("are told by their name from everything else that the SDK reads", () => {
    const body = Buffer.from(eventWith({}));
    for (const other of [{ getName: () => "Other" }, {}, null, undefined, 15]) {
      expect(readAsEvent(other, body)).toBeUndefined();
    }
  });

  it("bring the service's exceptions as the SDK does", async () => {
    const bodies = [eventWith({})];
    const failed = await subscribe(bodies, true, "ResourceInUseException");
    expect(failed).toEqual(await subscribe(bodies, false, "ResourceInUseException"));
    expect(failed).toMatchObject({ thrown: "ResourceInUseException" });
  });
});

function eventWith(fields: object): string {
  const plain = { Data: "YQ==", PartitionKey: "k", SequenceNumber: "5", ApproximateArrivalTimestamp: 1.5 };
  const whole = { Records: [plain], ContinuationSequenceNumber: "6", MillisBehindLatest: 0 };
  return JSON.stringify({ ...whole, ...fields });
}

/** What a client makes of events: all of them, payloads as plain numbers, and the name of what it throws in the end. */
async function subscribe(bodies: readonly string[], fast: boolean, exception?: string): Promise<unknown> {
  const client = new KinesisClient({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: {
      handle: () =>
        Promise.resolve({
          response: { statusCode: 200, headers: {}, body: Readable.from(framesOf(bodies, exception)) },
        }),
    },
    ...(fast ? { protocol: GetRecordsProtocol } : {}),
  });
  const events: unknown[] = [];
  try {
    const answer = await client.send(
      new SubscribeToShardCommand({
        ConsumerARN: "arn:aws:kinesis:us-east-1:123456789012:stream/orders/consumer/app:1",
        ShardId: "shardId-0",
        StartingPosition: { Type: "LATEST" },
      }),
    );
    for await (const { SubscribeToShardEvent: one } of answer.EventStream ?? []) {
      events.push({ ...one, Records: one?.Records?.map((it) => ({ ...it, Data: it.Data && [...it.Data] })) });
    }
    return { events };
  } catch (error) {
    return { events, thrown: error instanceof Error ? error.name : error };
  } finally {
    client.destroy();
  }
}

function framesOf(bodies: readonly string[], exception: string | undefined): readonly Uint8Array[] {
  const typed = (type: string) => ({ ":message-type": "event", ":event-type": type });
  const frames = [
    eventFrame(typed("initial-response"), [Buffer.from("{}")]),
    ...bodies.map((body) => eventFrame(typed("SubscribeToShardEvent"), [Buffer.from(body)])),
  ];
  if (exception !== undefined) {
    const headers = { ":message-type": "exception", ":exception-type": exception };
    frames.push(eventFrame(headers, [Buffer.from('{"message":"by order"}')]));
  }
  return frames.flat();
}
