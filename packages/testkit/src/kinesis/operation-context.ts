import type { AccountLedger } from "./account-ledger.ts";
import type { Caller } from "./caller.ts";
import type { KinesisModel } from "./kinesis-model.ts";
import type { RequestFields } from "./request-fields.ts";
import { ServiceError, validationError } from "./service-error.ts";
import type { ShardLimits } from "./shard-limits.ts";
import type { Stream } from "./stream.ts";
import type { RecordForm } from "./wire-format.ts";

/** What a call may touch. */
export interface OperationPlaces {
  readonly model: KinesisModel;
  readonly limits: ShardLimits;
  readonly ledger: AccountLedger;
}

/** One call: what it asks, when, and what it may touch. */
export class OperationContext {
  readonly fields: RequestFields;
  readonly model: KinesisModel;
  readonly limits: ShardLimits;
  readonly ledger: AccountLedger;
  readonly caller: Caller;
  /** How records are to be answered. */
  readonly records: RecordForm;
  /** One instant for the whole call. */
  readonly nowMs: number;

  constructor(
    fields: RequestFields,
    from: { readonly caller: Caller; readonly records: RecordForm },
    places: OperationPlaces,
  ) {
    this.fields = fields;
    this.caller = from.caller;
    this.records = from.records;
    this.model = places.model;
    this.limits = places.limits;
    this.ledger = places.ledger;
    this.nowMs = places.model.clock.now();
  }

  /** Where it looks for streams. */
  get region(): string {
    return this.caller.region;
  }

  /** The stream that `StreamARN`, else `StreamName`, names. */
  stream(): Stream {
    const arn = this.fields.optionalString("StreamARN");
    return arn === undefined
      ? this.model.stream(this.streamName(), this.region)
      : this.model.streamByArn(arn);
  }

  /** `StreamName`, checked as AWS does. */
  streamName(): string {
    const name = this.fields.string("StreamName");
    if (name.length > 128)
      throw validationError("streamName", name, "Member must have length less than or equal to 128");
    if (/^[a-zA-Z0-9_.-]+$/.test(name)) return name;
    throw validationError(
      "streamName",
      name,
      "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    );
  }

  /** A stream that may be changed now. */
  activeStream(): Stream {
    const stream = this.stream();
    const status = stream.status(this.nowMs);
    if (status === "ACTIVE") return stream;
    throw new ServiceError(
      "ResourceInUseException",
      `Stream ${stream.name} under account ${this.model.accountId} not ACTIVE, instead in state ${status}`,
    );
  }
}
