import type { Logger } from "@pulsar-ts-io/core";
import type { RawRecord } from "../shard/kinesis-stream.ts";
import type { HashKeyRange, ShardId } from "../shard/shard.ts";
import { beginsAsAggregate } from "./aggregated-record.ts";
import { type Deaggregated, deaggregate, type UserRecord } from "./deaggregate.ts";

/** What is counted of the aggregates that were not delivered whole. */
export interface AggregateMeter {
  /** @param flaw see {@link Deaggregated}. */
  aggregateFlawed(flaw: NonNullable<Deaggregated["flaw"]>): void;
}

const complaints = {
  "out-of-range": "a KPL aggregate with a key of another shard was dropped, as KCL does",
  broken: "a KPL aggregate was delivered only up to a key that is not in it, as KCL does",
} as const;

/** Unpacks the aggregates of one shard, and says what it leaves out: in the log once of a kind, in the metrics always. */
export class Deaggregator {
  readonly #shardId: ShardId;
  readonly #logger: Logger;
  readonly #meter: AggregateMeter;
  readonly #range: HashKeyRange | undefined;
  readonly #said = new Set<Deaggregated["flaw"]>();

  /** @param options.range the hash keys of the shard, or `undefined` to deliver whatever is in an aggregate. */
  constructor(
    shardId: ShardId,
    logger: Logger,
    options: { readonly range: HashKeyRange | undefined; readonly meter: AggregateMeter },
  ) {
    this.#shardId = shardId;
    this.#logger = logger;
    this.#range = options.range;
    this.#meter = options.meter;
  }

  /** The user records in `raw`, or `undefined` when it is no aggregate and is delivered as it is. */
  userRecords(raw: RawRecord): readonly UserRecord[] | undefined {
    if (raw.Data === undefined || !beginsAsAggregate(raw.Data)) return undefined;
    const found = deaggregate(raw.Data, this.#range);
    if (found?.flaw !== undefined) this.#complain(found.flaw, raw.SequenceNumber);
    return found?.records;
  }

  #complain(flaw: NonNullable<Deaggregated["flaw"]>, sequenceNumber: string | undefined): void {
    this.#meter.aggregateFlawed(flaw);
    if (this.#said.has(flaw)) return;
    this.#said.add(flaw);
    this.#logger.warn({ shardId: this.#shardId, sequenceNumber }, complaints[flaw]);
  }
}
