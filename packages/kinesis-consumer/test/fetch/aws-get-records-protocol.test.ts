import { Readable } from "node:stream";
import { GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { decode, encode, Tagged } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kinesisClientConfig } from "../../src/aws-clients.ts";
import {
  fitsInstalledSdk,
  GetRecordsProtocol,
  readGetRecords,
  recordsProtocol,
} from "../../src/fetch/aws-get-records-protocol.ts";
import { RecordEncoding } from "../../src/fetch/record-encoding.ts";
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
    const encoding = new RecordEncoding(true);
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const { protocol } = kinesisClientConfig({ region: "us-east-1", credentials }, encoding);
    expect(Object.getPrototypeOf(protocol)).toBe(GetRecordsProtocol);
  });
});

describe("GetRecords in CBOR", { timeout: 60_000 }, () => {
  it("gives what it gives in JSON", async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (told) => {
        const speaking = new Speaking(() => ({ status: 200, type: cborType, body: inCbor(told) }));
        expect(await speaking.ask()).toEqual(await read(JSON.stringify(told), false));
      }),
    );
  });

  it("asks in CBOR for what it asks for in JSON", async () => {
    const speaking = new Speaking(() => ({ status: 200, type: cborType, body: inCbor({ Records: [] }) }));
    await speaking.ask();
    expect(speaking.asked).toEqual([
      {
        type: cborType,
        fields: { ShardIterator: "any", Limit: 10_000 },
        target: "Kinesis_20131202.GetRecords",
      },
    ]);
  });

  it("throws the service's errors as it does in JSON", async () => {
    const body = encode({ __type: "ExpiredIteratorException", message: "too old" });
    const speaking = new Speaking(() => ({ status: 400, type: cborType, body }));
    expect(await speaking.ask()).toEqual({ thrown: "ExpiredIteratorException" });
    expect(speaking.fallbacks).toEqual([]);
  });

  it("asks again in JSON, once and for good, when the endpoint refuses CBOR", async () => {
    const json = JSON.stringify({ Records: [], NextShardIterator: "next" });
    const refusal = JSON.stringify({ __type: "SerializationException" });
    const speaking = new Speaking((type) =>
      type === cborType
        ? { status: 415, type: jsonType, body: Buffer.from(refusal) }
        : { status: 200, type: jsonType, body: Buffer.from(json) },
    );
    for (const _ of [1, 2]) expect(await speaking.ask()).toEqual({ Records: [], NextShardIterator: "next" });
    expect(speaking.asked.map(({ type }) => type)).toEqual([cborType, jsonType, jsonType]);
    expect(speaking.fallbacks).toEqual([`status 415, content type ${jsonType}`]);
  });

  it("takes an answer in JSON, and asks in JSON from then on", async () => {
    const json = JSON.stringify({ Records: [], NextShardIterator: "next" });
    const speaking = new Speaking(() => ({ status: 200, type: jsonType, body: Buffer.from(json) }));
    for (const _ of [1, 2]) expect(await speaking.ask()).toEqual({ Records: [], NextShardIterator: "next" });
    expect(speaking.asked.map(({ type }) => type)).toEqual([cborType, jsonType]);
    expect(speaking.fallbacks).toHaveLength(1);
  });

  it("goes on in CBOR after a failure of something in front of a service that speaks it", async () => {
    let up = true;
    const speaking = new Speaking(() =>
      up ? { status: 200, type: cborType, body: inCbor({ Records: [] }) } : unavailable,
    );
    await speaking.ask();
    up = false;
    await speaking.ask();
    up = true;
    await speaking.ask();
    expect(speaking.asked.map(({ type }) => type)).toEqual([cborType, cborType, cborType]);
    expect(speaking.fallbacks).toEqual([]);
  });

  it("asks again in JSON when a server that has never answered in CBOR fails", async () => {
    const json = JSON.stringify({ Records: [], NextShardIterator: "next" });
    const speaking = new Speaking((type) =>
      type === cborType ? unavailable : { status: 200, type: jsonType, body: Buffer.from(json) },
    );
    for (const _ of [1, 2]) expect(await speaking.ask()).toEqual({ Records: [], NextShardIterator: "next" });
    expect(speaking.asked.map(({ type }) => type)).toEqual([cborType, jsonType, jsonType]);
    expect(speaking.fallbacks).toEqual([`status 200, content type ${jsonType}`]);
  });

  it("goes back to CBOR when a server fails whatever it is asked in", async () => {
    let up = false;
    const speaking = new Speaking(() =>
      up ? { status: 200, type: cborType, body: inCbor({ Records: [] }) } : unavailable,
    );
    await speaking.ask();
    up = true;
    await speaking.ask();
    expect(speaking.asked.map(({ type }) => type)).toEqual([cborType, jsonType, cborType]);
    expect(speaking.fallbacks).toEqual([]);
  });

  it.each([
    ["is cut off", (body: Buffer) => body.subarray(0, 20), undefined],
    ["is shorter than it says", (body: Buffer) => body.subarray(0, 20), 80],
    ["is longer than it says", (body: Buffer) => body, 20],
    ["is not CBOR", () => Buffer.from("<html>"), undefined],
  ])("fails when an answer %s", async (_, damage, length) => {
    const body = inCbor(JSON.parse(answerWith({})));
    const speaking = new Speaking(() => ({ status: 200, type: cborType, body: damage(body), length }));
    expect(await speaking.ask()).toEqual({ thrown: expect.stringMatching(/Error$/) });
  });

  it("reads a body that announces its length, and one that does not", async () => {
    const body = inCbor(JSON.parse(answerWith({})));
    for (const length of [body.length, undefined]) {
      const speaking = new Speaking(() => ({ status: 200, type: cborType, body, length }));
      expect(await speaking.ask()).toMatchObject({ Records: [{ Data: [97] }], NextShardIterator: "next" });
    }
  });

  it.each([
    ["in the middle, with an error", (chunk: Uint8Array) => endingAfter(chunk, new RangeError("cut"))],
    ["in the middle, without one", (chunk: Uint8Array) => endingAfter(chunk, undefined)],
    ["before it is read", () => new Readable().destroy()],
  ])("fails when the connection of a body ends %s", async (_, stream) => {
    const body = inCbor(JSON.parse(answerWith({})));
    for (const type of [cborType, jsonType]) {
      const speaking = new Speaking(() => ({ status: 200, type, body, length: body.length, stream }));
      expect(await speaking.ask()).toEqual({ thrown: expect.stringMatching(/Error$/) });
    }
  });
});

function endingAfter(chunk: Uint8Array, error: Error | undefined): Readable {
  let given = false;
  return new Readable({
    read() {
      if (given) this.destroy(error);
      else this.push(chunk);
      given = true;
    },
  });
}

const cborType = "application/x-amz-cbor-1.1";
const jsonType = "application/x-amz-json-1.1";
const unavailable = { status: 503, type: "text/html", body: Buffer.from("<html>") };

interface Told {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
  /** Announced. */
  readonly length?: number | undefined;
  /** The body instead of one that has all of `body`; gets its beginning. */
  readonly stream?: (chunk: Uint8Array) => Readable;
}

/** A client that asks in CBOR, and a service that answers as a test says. */
class Speaking {
  readonly asked: { readonly type: string; readonly fields: unknown; readonly target: string }[] = [];
  readonly fallbacks: string[] = [];
  readonly #client: KinesisClient;

  constructor(answer: (type: string) => Told) {
    const encoding = new RecordEncoding(true, (answered) => this.fallbacks.push(answered));
    this.#client = new KinesisClient({
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
      requestHandler: {
        handle: async ({ headers, body }: { headers: Record<string, string>; body: Uint8Array }) => {
          const { "content-type": type = "", "x-amz-target": target = "" } = headers;
          const fields: unknown = type === cborType ? decode(body) : undefined;
          this.asked.push({ type, fields, target });
          const told = answer(type);
          const [first, rest] = [told.body.subarray(0, 7), told.body.subarray(7)];
          const stream =
            told.stream?.(first) ?? Readable.from([first, rest].filter(({ length }) => length > 0));
          // The events of one that has ended are over then.
          await new Promise(setImmediate);
          const response = {
            statusCode: told.status,
            headers: {
              "content-type": told.type,
              ...(told.length === undefined ? {} : { "content-length": String(told.length) }),
            },
            body: stream,
          };
          return { response };
        },
      },
      protocol: recordsProtocol(encoding),
    });
    this.#client.middlewareStack.add(encoding.sendAgain, { step: "initialize" });
  }

  async ask(): Promise<unknown> {
    try {
      const command = new GetRecordsCommand({ ShardIterator: "any", Limit: 10_000 });
      const { $metadata, ...page } = await this.#client.send(command);
      return { ...page, Records: page.Records?.map((one) => ({ ...one, Data: one.Data && [...one.Data] })) };
    } catch (error) {
      return { thrown: error instanceof Error ? error.name : error };
    }
  }
}

/** An answer in JSON, as Kinesis writes it in CBOR. */
function inCbor(told: object): Buffer {
  const recordsOf = (records: unknown) => (Array.isArray(records) ? records : []).map(recordInCbor);
  return Buffer.from(encode({ ...told, Records: recordsOf("Records" in told ? told.Records : []) }));
}

function recordInCbor({ Data, ApproximateArrivalTimestamp, ...rest }: Record<string, unknown>): object {
  return {
    ...rest,
    Data: Buffer.from(String(Data), "base64"),
    ApproximateArrivalTimestamp: new Tagged(1, Math.round(Number(ApproximateArrivalTimestamp) * 1_000)),
  };
}

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
