import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceContract } from "@pulsar-ts-io/testkit/contract";
import { FileTailSource } from "../src/index.ts";

sourceContract(FileTailSource, {
  directory: fileURLToPath(new URL("..", import.meta.url)),
  config: () => ({ directory: mkdtempSync(join(tmpdir(), "file-tail-")) }),
  invalidConfigs: [
    { config: {}, path: "directory" },
    { config: { directory: "x", pollIntervalMs: 0 }, path: "pollIntervalMs" },
    { config: { directory: "x", maxLineBytes: "long" }, path: "maxLineBytes" },
  ],
  produce: async (records, { directory }) => {
    for (const { key, value } of records)
      appendFileSync(join(String(directory), `${key}.log`), `${new TextDecoder().decode(value)}\n`);
  },
  dispose: async ({ directory }) => rmSync(String(directory), { recursive: true, force: true }),
  // A line is no place for any byte.
  capabilities: { anyBytes: false },
});
