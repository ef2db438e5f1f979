import { fileURLToPath } from "node:url";
import { sourceContract } from "@pulsar-ts-io/testkit/contract";
import { DataGeneratorSource } from "../src/index.ts";

const partitions = 3;

sourceContract(DataGeneratorSource, {
  directory: fileURLToPath(new URL("..", import.meta.url)),
  config: { recordsPerSecond: 0, partitions },
  invalidConfigs: [
    { config: { partitions: 0 }, path: "partitions" },
    { config: { recordsPerSecond: "fast" }, path: "recordsPerSecond" },
    { config: { size: -1 }, path: "size" },
  ],
  // In turn from each partition; with a single key, so that the order of all of them is looked at.
  makes: (count) => ({
    config: { count, keys: 1, template: "{{partition}}/{{sequence}}" },
    records: Array.from({ length: count }, (_, number) => ({
      key: "key-0",
      value: new TextEncoder().encode(`${number % partitions}/${Math.floor(number / partitions)}`),
    })),
  }),
  capabilities: { producible: false },
});
