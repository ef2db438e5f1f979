import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sourceContract } from "@pulsar-ts-io/testkit/contract";
import { ExampleSource } from "../src/index.ts";

sourceContract(ExampleSource, {
  config: () => ({ path: join(mkdtempSync(join(tmpdir(), "example-")), "lines.txt") }),
  invalidConfigs: [
    { config: {}, path: "path" },
    { config: { path: "x", pollIntervalMs: 0 }, path: "pollIntervalMs" },
  ],
  produce: async (records, { path }) => {
    for (const { value } of records) appendFileSync(String(path), `${new TextDecoder().decode(value)}\n`);
  },
  dispose: async ({ path }) => rmSync(dirname(String(path)), { recursive: true, force: true }),
  // A line is no place for any byte, and has no key.
  capabilities: { anyBytes: false, keys: false },
});
