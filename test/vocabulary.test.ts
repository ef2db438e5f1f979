import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = [
  "runtime/src",
  "runtime/bin",
  "packages/core/src",
  "packages/config/src",
  "packages/pulsar/src",
];
const oneConnectorsWords = new Set([
  "kinesis",
  "shard",
  "shards",
  "lease",
  "leases",
  "aws",
  "dynamo",
  "dynamodb",
]);
/** The one word of a connector that users may say for `partitions`. */
const alias = '.alias("leases")';
/** The list of built-in connectors, which has to name them. */
const exempt = new Set([join("runtime", "src", "plugin", "built-ins.ts")]);

/** The words of a text, camelCase and snake_case taken apart. */
function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/);
}

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /[.][jt]s$/.test(entry.name))
    .map((entry) => join(folder, entry.parentPath.slice(join(root, folder).length), entry.name));
}

describe("the generic part of the house", () => {
  it.each(folders)("says no connector's words in %s", (folder) => {
    const said = filesOf(folder)
      .filter((file) => !exempt.has(file))
      .flatMap((file) =>
        connectorWordsOf(readFileSync(join(root, file), "utf8")).map((word) => `${file}: ${word}`),
      );
    expect(said).toEqual([]);
  });

  it("knows such a word when it sees one", () => {
    expect(connectorWordsOf("awsRegion of a LeaseTable; releasePartition draws")).toEqual(["aws", "lease"]);
  });
});

function connectorWordsOf(text: string): string[] {
  return wordsOf(text.replace(alias, "")).filter((word) => oneConnectorsWords.has(word));
}
