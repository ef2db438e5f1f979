import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KinesisSource } from "../src/index.ts";
import { fileText } from "./kinesis-config.ts";

describe("the manifest", () => {
  const manifest = fileText("../pulsar-io.yaml");

  it("is the one that package.json names, and is packed with the schema it names", () => {
    const { pulsarIo, files } = JSON.parse(fileText("../package.json"));
    expect(pulsarIo).toBe("pulsar-io.yaml");
    expect(files).toEqual(expect.arrayContaining(["dist", "schemas", "pulsar-io.yaml"]));
  });

  it("names a schema that is there and a class that the package exports", () => {
    const schemaPath = /^sourceConfigSchema: (.+)$/m.exec(manifest)?.[1] ?? "";
    expect(existsSync(new URL(`../${schemaPath}`, import.meta.url))).toBe(true);
    expect(manifest).toContain(`sourceClass: dist/index.js#${KinesisSource.name}\n`);
    expect(manifest).toContain('apiVersion: "1"');
  });
});
