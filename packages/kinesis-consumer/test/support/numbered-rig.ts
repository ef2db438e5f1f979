import type { ConsumerOptions } from "../../src/consumer-options.ts";
import type { KinesisRecord } from "../../src/kinesis-record.ts";
import type { Lease } from "../../src/lease/lease.ts";
import type { NewEpochReason } from "../../src/shard/shard-numbering.ts";
import { DeduplicatingTopic } from "./deduplicating-topic.ts";
import { idOf, Rig, type Worker } from "./rig.ts";

/** A rig whose workers number what they read, and publish it to a topic that drops what it has. */
export class NumberedRig extends Rig {
  readonly topic: DeduplicatingTopic = new DeduplicatingTopic();

  /** A worker that publishes each record it reads, and acknowledges it if it is `settled`. */
  async publishing(
    options: Partial<ConsumerOptions> = {},
    settled = (_record: KinesisRecord) => true,
  ): Promise<Worker> {
    return await this.start({ numberRecords: true, ...options }, (record) => {
      this.topic.publish(record);
      return settled(record);
    });
  }

  /** One that reads and publishes `count` records and is then closed, or killed when it was to acknowledge none. */
  async readOnce(count: number, options: Partial<ConsumerOptions> = {}): Promise<Worker> {
    const worker = await this.publishing(options);
    await this.until(() => worker.records.length === count);
    await this.close(worker);
    return worker;
  }

  /** The same for one that dies before anything was stored, its lease then anyone's. */
  async readAndDie(count: number, options: Partial<ConsumerOptions> = {}): Promise<Worker> {
    const worker = await this.publishing(options, () => false);
    await this.until(() => worker.records.length === count);
    await this.pass(4_000);
    worker.kill();
    return worker;
  }

  /** Somebody else writes to a row, who knows nothing of numbers. */
  change(change: Partial<Lease>, index = 0): void {
    const row = this.lease(index);
    if (row === undefined) throw new Error("there is no such lease");
    this.table.rows.set(idOf(index), { ...row, counter: row.counter + 1, ...change });
  }

  /** How many epochs began. */
  epochs(reason?: NewEpochReason): number {
    const labels = reason === undefined ? {} : { reason };
    return this.meter.value("pulsar_ts_io_kinesis_epochs_total", labels);
  }
}

export function numbersOf(records: readonly KinesisRecord[]): readonly number[] {
  return records.map((record) => Number(record.recordSequence));
}

/** The partition of all of them. */
export function partitionOf(...workers: readonly Worker[]): string {
  const partitions = new Set(workers.flatMap(({ records }) => records.map((record) => record.partitionId)));
  if (partitions.size !== 1) throw new Error(`there are ${partitions.size} partitions`);
  return [...partitions].join();
}
