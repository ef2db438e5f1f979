import { CborError, CborReader, cborKinds } from "./cbor-reader.ts";
import { decodeBase64 } from "./decode-base64.ts";

/** What the AWS SDKs for Java speak with Kinesis: payloads are bytes in it, a third smaller than the base64 of JSON. */
export const cborType = "application/x-amz-cbor-1.1";

interface CborRecord {
  Data: Buffer | undefined;
  PartitionKey: string | undefined;
  SequenceNumber: string | undefined;
  EncryptionType?: string;
  ApproximateArrivalTimestamp: Date | undefined;
}

interface CborAnswer {
  Records: object[];
  NextShardIterator?: string;
  MillisBehindLatest?: number;
  ChildShards?: unknown;
}

const answerNames = ["Records", "NextShardIterator", "MillisBehindLatest", "ChildShards"].map(ascii);
const recordNames = [
  "SequenceNumber",
  "ApproximateArrivalTimestamp",
  "Data",
  "PartitionKey",
  "EncryptionType",
].map(ascii);

/** From here on a payload gets memory of its own: copying it costs little, and it would keep the whole answer alive. */
const ownMemoryBytes = 16_384;

/**
 * Reads an answer of GetRecords, in the SDK's shape. Payloads below 16 KiB are views of `body`, which lives as long as one of them.
 *
 * @throws CborError when it is not CBOR, or no such answer.
 */
export function readCborAnswer(body: Buffer): CborAnswer {
  const reader = new CborReader(body);
  const answer: CborAnswer = { Records: [] };
  reader.members(() => {
    const name = reader.name(answerNames);
    if (reader.skipAbsent()) return;
    switch (name) {
      case 0:
        reader.elements(() => {
          answer.Records.push(readRecord(reader));
        });
        return;
      case 1:
        answer.NextShardIterator = reader.text();
        return;
      case 2:
        answer.MillisBehindLatest = reader.number();
        return;
      case 3:
        answer.ChildShards = reader.value();
        return;
      default:
        reader.skip();
    }
  });
  return answer;
}

function readRecord(reader: CborReader): CborRecord {
  const record: CborRecord = {
    Data: undefined,
    PartitionKey: undefined,
    SequenceNumber: undefined,
    ApproximateArrivalTimestamp: undefined,
  };
  reader.members(() => {
    const name = reader.name(recordNames);
    if (reader.skipAbsent()) return;
    switch (name) {
      case 0:
        record.SequenceNumber = reader.text();
        return;
      case 1:
        // Milliseconds, where the standard has seconds: the AWS SDKs for Java read it so.
        record.ApproximateArrivalTimestamp = new Date(Math.round(reader.number()));
        return;
      case 2:
        record.Data = readPayload(reader);
        return;
      case 3:
        record.PartitionKey = reader.text();
        return;
      case 4:
        record.EncryptionType = reader.text();
        return;
      default:
        reader.skip();
    }
  });
  return record;
}

/** Emulators write base64 in a text, which the AWS SDKs for Java read too. */
function readPayload(reader: CborReader): Buffer {
  if (reader.kind !== cborKinds.text) return withOwnMemory(reader.bytes());
  const payload = decodeBase64([Buffer.from(reader.text(), "latin1")]);
  if (payload === undefined) throw new CborError("a payload is neither bytes nor base64");
  return payload;
}

function withOwnMemory(payload: Buffer): Buffer {
  if (payload.length < ownMemoryBytes) return payload;
  const own = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(own);
  return own;
}

/** An error's body as JSON has it. @throws CborError */
export function cborToJson(body: Buffer): string {
  return JSON.stringify(new CborReader(body).value());
}

/** A map of short texts and small numbers. */
export function encodeCbor(fields: Readonly<Record<string, string | number | undefined>>): Buffer {
  const members = Object.entries(fields).filter(([, value]) => value !== undefined);
  const parts = [head(cborKinds.map, members.length)];
  for (const [name, value = ""] of members) {
    parts.push(text(name), typeof value === "string" ? text(value) : head(cborKinds.unsigned, value));
  }
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([head(cborKinds.text, bytes.length), bytes]);
}

function head(kind: number, value: number): Buffer {
  const high = kind << 5;
  if (value < 24) return Buffer.of(high | value);
  if (value < 0x100) return Buffer.of(high | 24, value);
  if (value < 0x1_0000) return Buffer.of(high | 25, value >> 8, value & 0xff);
  const long = Buffer.of(high | 26, 0, 0, 0, 0);
  long.writeUInt32BE(value, 1);
  return long;
}

function ascii(name: string): Buffer {
  return Buffer.from(name, "latin1");
}
