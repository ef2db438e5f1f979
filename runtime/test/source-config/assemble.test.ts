import { describe, expect, it } from "vitest";
import { assembleSourceConfig } from "../../src/source-config/assemble.ts";

function file(value: unknown) {
  return { value, origin: "source.yaml" };
}

const nothing = { file: undefined, configs: undefined, flags: {} };

describe("assembleSourceConfig", () => {
  it("lets flags override the file, and --source-config its configs, key by key", () => {
    const assembled = assembleSourceConfig({
      file: file({ tenant: "file", name: "file", configs: { a: 1, b: 2 } }),
      configs: file({ a: 3, c: 4 }),
      flags: { tenant: "flag" },
    });
    expect(assembled).toEqual({ tenant: "flag", name: "file", configs: { a: 3, b: 2, c: 4 } });
  });

  it("lets a nested mapping of --source-config replace the file's whole", () => {
    const assembled = assembleSourceConfig({
      ...nothing,
      file: file({ login: { user: "u", password: "p" }, stream: "x" }),
      configs: file({ login: { user: "v" } }),
    });
    expect(assembled).toEqual({ configs: { login: { user: "v" }, stream: "x" } });
  });

  it("takes a file for a connector's config when no key of it is a field", () => {
    expect(assembleSourceConfig({ ...nothing, file: file({ stream: "x" }) })).toEqual({
      configs: { stream: "x" },
    });
  });

  it("takes configs alone for what it wraps, from a file and from --source-config", () => {
    const wrapped = file({ configs: { stream: "x" } });
    expect(assembleSourceConfig({ ...nothing, file: wrapped })).toEqual({ configs: { stream: "x" } });
    expect(assembleSourceConfig({ ...nothing, configs: wrapped })).toEqual({ configs: { stream: "x" } });
  });

  it("lets a flag that names the connector replace the file's, whichever way it was named", () => {
    const byArchive = { ...nothing, file: file({ archive: "./a" }), flags: { sourceType: "x" } };
    expect(assembleSourceConfig(byArchive)).toEqual({ sourceType: "x" });
    const byType = { ...nothing, file: file({ sourceType: "x" }), flags: { archive: "./a" } };
    expect(assembleSourceConfig(byType)).toEqual({ archive: "./a" });
  });

  it.each([[["a"]], ["text"], [5]])("refuses %j instead of a mapping", (value) => {
    expect(() => assembleSourceConfig({ ...nothing, file: file(value) })).toThrow(
      expect.objectContaining({ code: "PIO_CONFIG_SYNTAX" }),
    );
  });
});
