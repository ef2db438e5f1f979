import { fileURLToPath } from "node:url";
import { sourceContract } from "@pulsar-ts-io/testkit/contract";
import { DataGeneratorSource } from "../src/index.ts";

sourceContract(DataGeneratorSource, {
  directory: fileURLToPath(new URL("..", import.meta.url)),
  config: { recordsPerSecond: 0, partitions: 3 },
  invalidConfigs: [
    { config: { partitions: 0 }, path: "partitions" },
    { config: { recordsPerSecond: "fast" }, path: "recordsPerSecond" },
    { config: { size: -1 }, path: "size" },
  ],
  capabilities: { producible: false },
});
