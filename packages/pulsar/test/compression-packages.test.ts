import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import { resolveCompression } from "../src/compression.ts";

vi.mock("node:module", () => ({
  createRequire: () => (name: string) => {
    throw new Error(`Cannot find module '${name}'`);
  },
}));

describe("resolveCompression without the optional packages", () => {
  it("refuses SNAPPY, which was asked for by name, and names the package", async () => {
    await expect(resolveCompression("SNAPPY", new RecordingLogger())).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_COMPRESSION",
      message: "SNAPPY needs the package snappy, which is not installed for this platform",
      remedy: expect.stringContaining("install the package"),
    });
  });

  it("does without LZ4, the default, and says so once", async () => {
    const logger = new RecordingLogger();
    expect(await resolveCompression("LZ4", logger)).toBeUndefined();
    expect(logger.messages("warn")).toEqual([
      "lz4-napi is not installed for this platform: messages are published uncompressed",
    ]);
  });

  it.each(["ZLIB", "ZSTD"] as const)("compresses with %s all the same", async (name) => {
    expect(await resolveCompression(name, new RecordingLogger())).toHaveProperty("name", name);
  });
});
