import type { ConnectorTools } from "@pulsar-ts-io/core";
import type { DataGeneratorSourceOptions } from "./generated/options.ts";
import { RecordMaker } from "./record-maker.ts";

/** The generic commands for this connector. */
export const tools: ConnectorTools<DataGeneratorSourceOptions> = {
  /** The first records of a first start, at once. */
  async *peek(options, count, { clock, signal }) {
    const maker = new RecordMaker(options, "dry-run");
    const { partitions } = options;
    const all = options.count === 0 ? count : Math.min(count, options.count);
    for (let number = 0; number < all; number += 1) {
      signal.throwIfAborted();
      const place = { partition: number % partitions, sequence: Math.floor(number / partitions) };
      yield maker.make(place, clock.now(), () => undefined);
    }
  },
};
