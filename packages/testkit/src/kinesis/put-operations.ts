import { hashOf } from "./hash-range.ts";
import type { OperationContext } from "./operation-context.ts";
import type { RequestFields } from "./request-fields.ts";
import { ServiceError, validationError } from "./service-error.ts";
import type { PutEntry } from "./shard.ts";
import type { Stream } from "./stream.ts";

/** AWS: the payload of a record, without its key. Larger ones can be enabled per stream; ours are not. */
const maxDataBytes = 1_048_576;
/** AWS: all payloads and keys of one PutRecords call. */
const maxCallBytes = 10_485_760;
const maxCallRecords = 500;

interface Put {
  readonly entry: PutEntry;
  readonly hashKey: bigint;
}

export function putRecord(context: OperationContext): unknown {
  const { fields } = context;
  const result = store(context, context.stream(), put(fields));
  if ("ErrorCode" in result)
    throw new ServiceError("ProvisionedThroughputExceededException", result.ErrorMessage);
  return { ...result, EncryptionType: "NONE" };
}

export function putRecords(context: OperationContext): unknown {
  const stream = context.stream();
  const puts = context.fields.list("Records", maxCallRecords).map(put);
  const bytes = puts.reduce((sum, { entry }) => sum + entry.dataBytes + entry.partitionKey.length, 0);
  if (bytes > maxCallBytes) {
    throw new ServiceError("InvalidArgumentException", `Records size exceeds ${maxCallBytes} bytes.`);
  }
  const results = puts.map((one) => store(context, stream, one));
  return {
    FailedRecordCount: results.filter((result) => "ErrorCode" in result).length,
    Records: results,
    EncryptionType: "NONE",
  };
}

type Stored =
  | { readonly SequenceNumber: string; readonly ShardId: string }
  | { readonly ErrorCode: string; readonly ErrorMessage: string };

function store({ limits, model, nowMs }: OperationContext, stream: Stream, { entry, hashKey }: Put): Stored {
  const shard = stream.shardFor(hashKey);
  const bytes = entry.dataBytes + Buffer.byteLength(entry.partitionKey);
  if (!limits.mayWrite(`${stream.arn}/${shard.id}`, bytes, nowMs)) {
    return {
      ErrorCode: "ProvisionedThroughputExceededException",
      ErrorMessage: `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${model.accountId}.`,
    };
  }
  return { SequenceNumber: String(shard.append(entry, nowMs)), ShardId: shard.id };
}

function put(fields: RequestFields): Put {
  const partitionKey = fields.string("PartitionKey");
  if (partitionKey.length > 256) {
    throw validationError("partitionKey", partitionKey, "Member must have length less than or equal to 256");
  }
  const data = fields.optionalString("Data");
  if (data === undefined) throw validationError("data", undefined, "Member must not be null");
  const dataBytes = base64Bytes(data);
  if (dataBytes > maxDataBytes) {
    throw validationError(
      "data",
      `${dataBytes} bytes`,
      `Member must have length less than or equal to ${maxDataBytes}`,
    );
  }
  const hashKey = fields.optionalHashKey("ExplicitHashKey") ?? hashOf(partitionKey);
  return { entry: { partitionKey, data, dataBytes }, hashKey };
}

/** @throws ServiceError SerializationException when it is not base64: it will be answered as it came. */
function base64Bytes(data: string): number {
  const padding = data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0;
  const bytes = (data.length / 4) * 3 - padding;
  if (data.length % 4 === 0 && Buffer.byteLength(data, "base64") === bytes && !/[^A-Za-z0-9+/=]/.test(data))
    return bytes;
  throw new ServiceError("SerializationException", "Data is not base64");
}
