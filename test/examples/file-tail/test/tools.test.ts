import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testContext } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { tools } from "../src/index.ts";

async function check(given: { readonly directory: string; readonly pattern: string }): Promise<unknown> {
  const options = { ...given, pollIntervalMs: 1, checkpointIntervalMs: 1, maxLineBytes: 1 };
  const results = [];
  for await (const result of tools.check?.(options, testContext()) ?? []) results.push(result);
  return results;
}

describe("the check of followed files", () => {
  it("counts those that fit", async () => {
    const directory = mkdtempSync(join(tmpdir(), "file-tail-"));
    for (const name of ["a.log", "b.log", "c.txt"]) writeFileSync(join(directory, name), "");
    expect(await check({ directory, pattern: "log$" })).toMatchObject([
      { outcome: "ok", detail: "2 files that fit" },
    ]);
  });

  it.each([
    { directory: "/nowhere", pattern: "x", says: "cannot be read" },
    { directory: tmpdir(), pattern: "(", says: "no regular expression" },
  ])("says why $directory with $pattern will not do", async ({ says, ...options }) => {
    expect(await check(options)).toMatchObject([
      { outcome: "failed", detail: expect.stringContaining(says), remedy: expect.any(String) },
    ]);
  });
});
