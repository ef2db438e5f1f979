import type { KinesisStream } from "../../src/shard/kinesis-stream.ts";
import { MemoryFanOut } from "./memory-fan-out.ts";
import { Rig, type Worker } from "./rig.ts";

/** Where a consumer is registered already. */
export const fanOut = { kind: "fan-out", consumerName: "orders-app" } as const;

export class FanOutRig extends Rig {
  override readonly fanOut: MemoryFanOut = new MemoryFanOut(this.stream, this.clock);
}

export const activityOf = (worker: Worker) => worker.consumer.status().map(({ activity }) => activity);
export const restarts = (rig: Rig) => rig.meter.value("pulsar_ts_io_kinesis_reader_restarts_total");
export const givenUp = (rig: Rig) => rig.meter.value("pulsar_ts_io_kinesis_leases_given_up_total");
export const changes = (rig: Rig) =>
  rig.logger
    .linesOf("shard readers have changed state")
    .filter(({ level }) => level !== "debug")
    .map(({ fields }) => `${fields["from"]} > ${fields["to"]}`);

/** The same stream, but for one method, whose promise does not settle while `silent` says so: not even when it is told to stop. */
export function deaf(
  rig: Rig,
  method: "getRecords" | "listShards" | "openIterator",
  silent: () => boolean,
): void {
  rig.through = (stream) =>
    new Proxy<KinesisStream>(stream, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          key === method && silent() ? new Promise(() => {}) : Reflect.apply(value, target, args);
      },
    });
}
