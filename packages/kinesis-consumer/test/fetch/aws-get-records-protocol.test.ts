import { Readable } from "node:stream";
import { GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kinesisClientConfig } from "../../src/aws-clients.ts";
import {
  fitsInstalledSdk,
  GetRecordsProtocol,
  readGetRecords,
} from "../../src/fetch/aws-get-records-protocol.ts";
import { toldChildren, toldRecord } from "../support/told-records.ts";

const answer = fc.record(
  {
    Records: fc.array(toldRecord, { maxLength: 5 }),
    NextShardIterator: fc.oneof(fc.string(), fc.constant(null)),
    MillisBehindLatest: fc.nat(),
    ChildShards: toldChildren,
  },
  { requiredKeys: ["Records"] },
);

describe("GetRecordsProtocol", { timeout: 60_000 }, () => {
  it("reads every answer as the SDK's own protocol reads it", async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (told) => {
        const body = JSON.stringify(told);
        expect(await read(body, true)).toEqual(await read(body, false));
      }),
    );
  });

  it("reads nothing another way than the SDK does when an answer is not as documented", async () => {
    await fc.assert(
      fc.asyncProperty(
        answer,
        fc.nat(),
        fc.constantFrom('"', "!", "=", "-", "_", "0", "é", "[]"),
        async (told, at, text) => {
          const whole = JSON.stringify(told);
          const place = at % whole.length;
          const body = whole.slice(0, place) + text + whole.slice(place + 1);
          expect(await read(body, true)).toEqual(await read(body, false));
        },
      ),
    );
  });

  it.each([
    ["no JSON", "{"],
    ["no records", "{}"],
    ["base64 with a letter that is none", answerWith({ Data: "ab!d" })],
    ["base64 without its padding", answerWith({ Data: "YQ" })],
    ["a record that is none", '{"Records":[null]}'],
    ["a record without data", answerWith({ Data: null })],
    ["an arrival as text", answerWith({ ApproximateArrivalTimestamp: "1970-01-01T00:00:00Z" })],
  ])("leaves to the SDK an answer with %s", (_what, body) => {
    expect(readGetRecords(Buffer.from(body))).toBeUndefined();
  });

  it("does not leave an answer as AWS sends it to the SDK", () => {
    const page = readGetRecords(Buffer.from(answerWith({})));
    expect(page).toMatchObject({ Records: [{ Data: Buffer.from("a") }], NextShardIterator: "next" });
  });

  it("throws the service's errors as the SDK does", async () => {
    const body = JSON.stringify({ __type: "ExpiredIteratorException", message: "too old" });
    expect(await read(body, true, 400)).toEqual({ thrown: "ExpiredIteratorException" });
  });

  it("is what the consumer's client speaks with the installed SDK", () => {
    expect(fitsInstalledSdk()).toBe(true);
    const config = kinesisClientConfig({
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    expect(config.protocol).toBe(GetRecordsProtocol);
  });
});

function answerWith(fields: object): string {
  const plain = { Data: "YQ==", PartitionKey: "k", SequenceNumber: "5", ApproximateArrivalTimestamp: 1.5 };
  return JSON.stringify({
    Records: [{ ...plain, ...fields }],
    NextShardIterator: "next",
    MillisBehindLatest: 0,
  });
}

/** What a client makes of `body`: the page, payloads as plain numbers, or the name of what it throws. */
async function read(body: string, fast: boolean, statusCode = 200): Promise<unknown> {
  const client = new KinesisClient({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: {
      handle: () =>
        Promise.resolve({
          response: { statusCode, headers: {}, body: Readable.from([Buffer.from(body)]) },
        }),
    },
    ...(fast ? { protocol: GetRecordsProtocol } : {}),
  });
  try {
    const { $metadata, ...page } = await client.send(new GetRecordsCommand({ ShardIterator: "any" }));
    expect($metadata.httpStatusCode).toBe(statusCode);
    return { ...page, Records: page.Records?.map((one) => ({ ...one, Data: one.Data && [...one.Data] })) };
  } catch (error) {
    return { thrown: error instanceof Error ? error.name : error };
  } finally {
    client.destroy();
  }
}
