import { describe, expect, it } from "vitest";
import { parseManifest } from "../src/index.ts";

const lines = {
  name: "name: mine",
  description: "description: Reads mine.",
  sourceClass: "sourceClass: dist/index.js#MySource",
  sourceConfigSchema: "sourceConfigSchema: schemas/mine.schema.json",
  apiVersion: 'apiVersion: "1"',
};

function manifest(changes: Partial<Record<keyof typeof lines, string>> = {}): string {
  return Object.values({ ...lines, ...changes }).join("\n");
}

describe("parseManifest", () => {
  it("reads every field, and leaves those alone that it does not know", () => {
    expect(parseManifest(`${manifest()}\nlater: yes\n`, "m.yaml")).toEqual({
      name: "mine",
      description: "Reads mine.",
      sourceClass: { file: "dist/index.js", exportName: "MySource" },
      sourceConfigSchema: "schemas/mine.schema.json",
      apiVersion: "1",
      acknowledgesItself: false,
    });
  });

  it("reads whether the source acknowledges by itself", () => {
    expect(parseManifest(`${manifest()}\nacknowledgesItself: true\n`, "m.yaml").acknowledgesItself).toBe(
      true,
    );
    const parse = () => parseManifest(`${manifest()}\nacknowledgesItself: sometimes\n`, "m.yaml");
    expect(parse).toThrow("acknowledgesItself of the connector manifest m.yaml is not true or false");
  });

  it("reads whether instances divide the work by their numbers, and refuses any other word", () => {
    expect(parseManifest(manifest(), "m.yaml").sharding).toBeUndefined();
    expect(parseManifest(`${manifest()}\nsharding: by-number\n`, "m.yaml").sharding).toBe("by-number");
    expect(() => parseManifest(`${manifest()}\nsharding: by-luck\n`, "m.yaml")).toThrow(
      "sharding of the connector manifest m.yaml is not by-number",
    );
  });

  it("reads whether partition ids are global, and refuses any other word", () => {
    expect(parseManifest(manifest(), "m.yaml").partitionIds).toBeUndefined();
    expect(parseManifest(`${manifest()}\npartitionIds: global\n`, "m.yaml").partitionIds).toBe("global");
    expect(() => parseManifest(`${manifest()}\npartitionIds: local\n`, "m.yaml")).toThrow(
      "partitionIds of the connector manifest m.yaml is not global",
    );
  });

  it("takes a version that YAML reads as a number", () => {
    expect(parseManifest(manifest({ apiVersion: "apiVersion: 1" }), "m.yaml").apiVersion).toBe("1");
  });

  it.each(Object.keys(lines) as (keyof typeof lines)[])(
    "names the manifest and %s when it lacks it",
    (field) => {
      const parse = () => parseManifest(manifest({ [field]: "" }), "m.yaml");
      expect(parse).toThrow(expect.objectContaining({ code: "PIO_PLUGIN_MANIFEST" }));
      expect(parse).toThrow(`m.yaml lacks ${field}`);
    },
  );

  it("names both versions of a contract it does not speak, whatever else is missing", () => {
    const parse = () => parseManifest("name: mine\napiVersion: 7", "m.yaml");
    expect(parse).toThrow(expect.objectContaining({ code: "PIO_PLUGIN_API_VERSION" }));
    expect(parse).toThrow("connector mine is written for API version 7, and this runtime speaks 1");
  });

  it.each(["dist/index.js", "#MySource", "dist/index.js#", "a#b#c"])(
    "refuses %s as a sourceClass",
    (text) => {
      const parse = () => parseManifest(manifest({ sourceClass: `sourceClass: "${text}"` }), "m.yaml");
      expect(parse).toThrow("is not a file#Export");
    },
  );

  it.each(["", "just a text", "- a list", "name: [unclosed", "a: *nowhere"])("refuses %j", (text) => {
    expect(() => parseManifest(text, "m.yaml")).toThrow(
      expect.objectContaining({ code: "PIO_PLUGIN_MANIFEST" }),
    );
  });
});
