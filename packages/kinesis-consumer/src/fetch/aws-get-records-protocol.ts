import { Readable } from "node:stream";
import { AwsJson1_1Protocol } from "@aws-sdk/core/protocols";
import { cborToJson, cborType, encodeCbor, readCborAnswer } from "./cbor-records.ts";
import { RecordEncoding } from "./record-encoding.ts";
import { StreamedRecords } from "./streamed-records.ts";

/** The parts of the SDK that {@link GetRecordsProtocol} leans on; without them the SDK's own protocol is used. */
const leansOn = [
  "serializeRequest",
  "deserializeResponse",
  "deserializeMetadata",
  "isErrorResponse",
] as const;

type SerializeArguments = Parameters<AwsJson1_1Protocol["serializeRequest"]>;
type DeserializeArguments = Parameters<AwsJson1_1Protocol["deserializeResponse"]>;
type Request = Awaited<ReturnType<AwsJson1_1Protocol["serializeRequest"]>>;
type Answer = Awaited<ReturnType<AwsJson1_1Protocol["deserializeResponse"]>>;

/** Whether the installed SDK has what the fast path needs. The versions are pinned; this guards those who override them. */
export function fitsInstalledSdk(): boolean {
  const methods: object = AwsJson1_1Protocol.prototype;
  return leansOn.every((name) => typeof Reflect.get(methods, name) === "function");
}

/**
 * The SDK's protocol with a reader of its own for the answers of GetRecords and the events of SubscribeToShard, which are
 * nearly all that Kinesis sends.
 *
 * The SDK walks a schema and checks each base64 text with a regular expression: 4 to 5 times the CPU of reading it
 * directly. What is not exactly as documented goes to the SDK's own reader, which decides what it is worth.
 */
export class GetRecordsProtocol extends AwsJson1_1Protocol {
  /** How records are asked for. */
  readonly encoding: RecordEncoding = new RecordEncoding(false);

  constructor(...settings: ConstructorParameters<typeof AwsJson1_1Protocol>) {
    super(...settings);
    const reader = this.deserializer;
    const sdkRead = reader.read.bind(reader);
    reader.read = async (schema, body) => {
      const event = readAsEvent(schema, body);
      if (event === undefined) return await sdkRead(schema, body);
      releaseMessage(body);
      return event;
    };
  }

  override async serializeRequest<Input extends object>(
    ...[operation, input, context]: SerializeArguments
  ): Promise<Request> {
    const request = await super.serializeRequest<Input>(operation, input as Input, context);
    if (operation.name !== "GetRecords" || !this.encoding.isCbor) return request;
    request.headers["content-type"] = cborType;
    request.body = encodeCbor(input as CborFields);
    return request;
  }

  override async deserializeResponse<Output extends Answer>(
    ...[operation, context, response]: DeserializeArguments
  ): Promise<Output> {
    if (operation.name !== "GetRecords")
      return await super.deserializeResponse<Output>(operation, context, response);
    const contentType = headerOf(response.headers, "content-type");
    const isError = this.isErrorResponse(response.statusCode);
    if (contentType === cborType) {
      this.encoding.answeredInCbor();
      const body = await wholeBody(response, context);
      if (isError) {
        const json = Buffer.from(cborToJson(body));
        return await super.deserializeResponse<Output>(operation, context, { ...response, body: json });
      }
      const answer = readCborAnswer(body);
      return Object.assign(answer, { $metadata: this.deserializeMetadata(response) }) as unknown as Output;
    }
    this.encoding.answeredOtherwise(response.statusCode, contentType);
    if (isError) return await super.deserializeResponse<Output>(operation, context, response);
    const streamed = new StreamedRecords();
    await takeChunks(response.body, context, (chunk) => streamed.push(chunk));
    const answer = readAnswer(streamed);
    if (answer === undefined) {
      const body = streamed.whole();
      return await super.deserializeResponse<Output>(operation, context, { ...response, body });
    }
    // The SDK's caller knows what GetRecords answers; here it is any operation's output.
    return Object.assign(answer, { $metadata: this.deserializeMetadata(response) }) as unknown as Output;
  }
}

/** @returns what the SDK would have made of an event's `body`, or `undefined` when it is none, or for the SDK to say. */
export function readAsEvent(schema: unknown, body: unknown): object | undefined {
  if (!(body instanceof Uint8Array) || nameOf(schema) !== "SubscribeToShardEvent") return undefined;
  const streamed = new StreamedRecords();
  streamed.push(body);
  const event = parsed(streamed);
  if (event === undefined) return undefined;
  const { ContinuationSequenceNumber: next, MillisBehindLatest: behind, ChildShards: children } = event;
  if (!isAbsent(children) || typeof next !== "string" || !Number.isSafeInteger(behind)) return undefined;
  const records = readRecords(event["Records"], streamed);
  if (records === undefined) return undefined;
  return { Records: records, ContinuationSequenceNumber: next, MillisBehindLatest: behind };
}

/** What an event's message has beside its body: lengths, checksums, and headers of some hundred bytes. */
const largestEnvelopeBytes = 4_096;

/**
 * Takes the memory of an event's message away from it. The SDK's streams refer to it until the next event is pulled, which for
 * a shard that waits for room is long, and its base64 is larger than the payloads that were made of it.
 */
function releaseMessage(body: unknown): void {
  if (!(body instanceof Uint8Array) || !(body.buffer instanceof ArrayBuffer)) return;
  // Only memory that is this message's own.
  if (body.buffer.byteLength - body.byteLength > largestEnvelopeBytes) return;
  structuredClone(body.buffer, { transfer: [body.buffer] });
}

function nameOf(schema: unknown): unknown {
  if (!isObject(schema)) return undefined;
  const { getName } = schema;
  return typeof getName === "function" ? getName.call(schema) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** @returns what the SDK would have made of `body`, or `undefined` when that is for the SDK to say. */
export function readGetRecords(body: Uint8Array): object | undefined {
  const streamed = new StreamedRecords();
  streamed.push(body);
  return readAnswer(streamed);
}

function readAnswer(streamed: StreamedRecords): object | undefined {
  const answer = parsed(streamed);
  if (answer === undefined) return undefined;
  const { NextShardIterator: next, MillisBehindLatest: behind, ChildShards: children } = answer;
  // Children come once in the life of a shard: nothing is gained by reading them here.
  if (!isAbsent(children)) return undefined;
  if (!isAbsent(next) && typeof next !== "string") return undefined;
  if (!isAbsent(behind) && !Number.isSafeInteger(behind)) return undefined;
  const records = readRecords(answer["Records"], streamed);
  if (records === undefined) return undefined;
  return {
    Records: records,
    ...(isAbsent(next) ? {} : { NextShardIterator: next }),
    ...(isAbsent(behind) ? {} : { MillisBehindLatest: behind }),
  };
}

function parsed(streamed: StreamedRecords): Fields | undefined {
  try {
    const text = streamed.end();
    const value: unknown = streamed.plain ? JSON.parse(text) : undefined;
    return isObject(value) && isPlain(value) ? value : undefined;
  } catch {
    // The SDK says what is wrong with it, in the error that callers know.
    return undefined;
  }
}

function readRecords(told: unknown, streamed: StreamedRecords): readonly object[] | undefined {
  if (!Array.isArray(told)) return undefined;
  const records: object[] = [];
  for (const one of told) {
    const record = isObject(one) && isPlain(one) ? readRecord(one, streamed) : undefined;
    if (record === undefined) return undefined;
    records.push(record);
  }
  return records;
}

/** @returns `undefined` when a field is not as documented. One object and one view of bytes for each record. */
function readRecord(told: Fields, streamed: StreamedRecords): object | undefined {
  const { Data, ApproximateArrivalTimestamp: arrival, SequenceNumber, PartitionKey, EncryptionType } = told;
  if (typeof Data !== "string" || typeof SequenceNumber !== "string") return undefined;
  if (typeof arrival !== "number" || typeof PartitionKey !== "string") return undefined;
  if (!isAbsent(EncryptionType) && typeof EncryptionType !== "string") return undefined;
  const bytes = streamed.payload(Data);
  if (bytes === undefined) return undefined;
  const record = {
    Data: bytes,
    ApproximateArrivalTimestamp: new Date(Math.round(arrival * 1_000)),
    SequenceNumber,
    PartitionKey,
  };
  return isAbsent(EncryptionType) ? record : { ...record, EncryptionType };
}

type CborFields = Parameters<typeof encodeCbor>[0];

/** The protocol of a client that asks for records as `encoding` says. */
export function recordsProtocol(encoding: RecordEncoding): typeof GetRecordsProtocol {
  return class extends GetRecordsProtocol {
    override readonly encoding: RecordEncoding = encoding;
  };
}

function headerOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  const direct = headers[name];
  if (direct !== undefined) return direct;
  return Object.entries(headers).find(([one]) => one.toLowerCase() === name)?.[1];
}

/** Larger than any answer: what claims to be so is not believed. */
const largestBodyBytes = 64 * 1_024 * 1_024;

/** Read into one buffer of the announced length, if there is one. */
async function wholeBody(
  { headers, body }: DeserializeArguments[2],
  context: DeserializeArguments[1],
): Promise<Buffer> {
  if (body instanceof Uint8Array) return asBuffer(body);
  const length = Number(headerOf(headers, "content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length) || length > largestBodyBytes) {
    const chunks: Uint8Array[] = [];
    await takeChunks(body, context, (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks);
  }
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  await takeChunks(body, context, (chunk) => {
    if (chunk.length > length - at) throw new Error("the answer is longer than its Content-Length");
    whole.set(chunk, at);
    at += chunk.length;
  });
  // One that was cut off fails as CBOR.
  return whole.subarray(0, at);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

type Take = (chunk: Uint8Array) => void;

/** Gives the chunks of a body to `take` as they come, until it ends. A response of the SDK's own handlers is a stream. */
async function takeChunks(body: unknown, context: DeserializeArguments[1], take: Take): Promise<void> {
  if (body instanceof Uint8Array) take(body);
  else if (body instanceof Readable) await takeFrom(body, take);
  else take(await context.streamCollector(body));
}

/** Without a promise for each chunk, which an asynchronous loop costs. */
function takeFrom(stream: Readable, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = () => reject(stream.errored ?? new Error("the answer ended before its end"));
    // One that was destroyed before has no more events.
    if (stream.destroyed) {
      cut();
      return;
    }
    stream.on("data", (chunk: Uint8Array) => {
      try {
        take(chunk);
      } catch (error) {
        reject(error);
        stream.destroy();
      }
    });
    stream.on("error", reject);
    stream.on("end", resolve);
    // Also what was destroyed without an error; after the other two nothing happens any more.
    stream.on("close", cut);
  });
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The SDK keeps unknown fields of an object that names its type. */
function isPlain(told: Fields): boolean {
  return typeof told["__type"] !== "string";
}

/** JSON's null stands for a field that is not there. */
function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
