import { describe, expect, it } from "vitest";
import { DataGeneratorSource } from "../src/index.ts";
import { fileText } from "./generator-host.ts";

describe("the manifest", () => {
  it("names the schema of the property table and a class that the package exports", () => {
    const manifest = fileText("pulsar-io.yaml");
    const [, schema = ""] = /^sourceConfigSchema: (.+)$/m.exec(manifest) ?? [];
    expect(JSON.parse(fileText(schema)).title).toBe("data-generator-source");
    expect(manifest).toContain(`sourceClass: dist/index.js#${DataGeneratorSource.name}\n`);
    expect(JSON.parse(fileText("package.json"))).toMatchObject({
      pulsarIo: "pulsar-io.yaml",
      files: expect.arrayContaining(["dist", "schemas", "pulsar-io.yaml"]),
    });
  });
});
