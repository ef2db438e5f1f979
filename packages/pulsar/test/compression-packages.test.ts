import { describe, expect, it, vi } from "vitest";
import { resolveCompression } from "../src/compression.ts";

vi.mock("node:module", () => ({
  createRequire: () => (name: string) => {
    throw new Error(`Cannot find module '${name}'`);
  },
}));

describe("resolveCompression without the optional packages", () => {
  it("refuses SNAPPY, which was asked for by name, and names the package", async () => {
    await expect(resolveCompression("SNAPPY")).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_COMPRESSION",
      message: "SNAPPY needs the package snappy, which is not installed for this platform",
      remedy: expect.stringContaining("install the package"),
    });
  });

  it.each(["LZ4", "ZLIB", "ZSTD"] as const)("compresses with %s all the same", async (name) => {
    expect(await resolveCompression(name)).toHaveProperty("name", name);
  });
});
