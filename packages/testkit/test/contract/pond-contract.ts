import { fileURLToPath } from "node:url";
import type { SourceContractOptions } from "../../src/contract/index.ts";
import { drain, pondOf } from "./pond-source.ts";

let ponds = 0;

/** What the suite needs to know of a pond; a pond of its own for each test. */
export function pondContract(): SourceContractOptions {
  return {
    directory: fileURLToPath(new URL("pond", import.meta.url)),
    config: () => {
      ponds += 1;
      return { pond: `pond-${ponds}`, bufferLength: "10", password: "abracadabra" };
    },
    invalidConfigs: [
      { config: { pond: "p", bufferLength: 0 }, path: "bufferLength" },
      { config: { bufferLength: 1 }, path: "pond" },
    ],
    produce: async (records, { pond }) => {
      pondOf(String(pond)).records.push(...records);
    },
    dispose: async ({ pond }) => drain(String(pond)),
    patienceMs: 1_000,
  };
}
