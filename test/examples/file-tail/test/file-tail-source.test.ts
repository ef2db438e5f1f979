import { appendFileSync, mkdtempSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MemoryStateStore, TestClock, testContext } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { FileTailSource } from "../src/index.ts";

const usual = {
  pattern: "\\.log(\\.[0-9]+)?$",
  pollIntervalMs: 1,
  checkpointIntervalMs: 1,
  maxLineBytes: 100,
};

/** Reads `count` lines of the directory, each acknowledged, and closes. */
async function read(directory: string, count: number, state: MemoryStateStore): Promise<readonly string[]> {
  const source = new FileTailSource();
  await source.open({ ...usual, directory }, testContext({ state }));
  const lines: string[] = [];
  while (lines.length < count) {
    const record = await source.read();
    lines.push(new TextDecoder().decode(record.value));
    record.ack();
  }
  await source.close();
  return lines.sort();
}

describe("FileTailSource", () => {
  it("goes on in a file that was renamed, and reads the one in its place from its beginning", async () => {
    const directory = mkdtempSync(join(tmpdir(), "rotation-"));
    const state = new MemoryStateStore();
    writeFileSync(join(directory, "app.log"), "one\ntwo\n");
    expect(await read(directory, 2, state)).toEqual(["one", "two"]);
    appendFileSync(join(directory, "app.log"), "three\n");
    renameSync(join(directory, "app.log"), join(directory, "app.log.1"));
    writeFileSync(join(directory, "app.log"), "four\n");
    expect(await read(directory, 2, state)).toEqual(["four", "three"]);
  });

  it("takes a file that was emptied for another one", async () => {
    const directory = mkdtempSync(join(tmpdir(), "rotation-"));
    const state = new MemoryStateStore();
    writeFileSync(join(directory, "app.log"), "one\ntwo\n");
    await read(directory, 2, state);
    truncateSync(join(directory, "app.log"));
    appendFileSync(join(directory, "app.log"), "three\n");
    expect(await read(directory, 1, state)).toEqual(["three"]);
  });

  it.each([0, 1])("leaves the files of others alone, as instance %d of two", async (instanceId) => {
    const directory = mkdtempSync(join(tmpdir(), "shares-"));
    for (let file = 0; file < 16; file += 1) writeFileSync(join(directory, `${file}.log`), `line ${file}\n`);
    const clock = new TestClock();
    const stop = new AbortController();
    const source = new FileTailSource();
    const context = testContext({ instanceId, numInstances: 2, signal: stop.signal, clock });
    await source.open({ ...usual, directory }, context);
    const read = (async () => {
      for (;;) await source.read();
    })();
    while (clock.sleepers === 0) await nextTurn();
    stop.abort(new Error("read enough"));
    await expect(read).rejects.toThrow("read enough");
    const own = source.status().length;
    expect(own).toBeGreaterThan(0);
    expect(own).toBeLessThan(16);
  });

  it("says which line is too long", async () => {
    const directory = mkdtempSync(join(tmpdir(), "long-"));
    writeFileSync(join(directory, "app.log"), `short\n${"x".repeat(101)}\n`);
    const source = new FileTailSource();
    await source.open({ ...usual, directory }, testContext());
    expect(await source.read()).toMatchObject({ recordSequence: 0n });
    await expect(source.read()).rejects.toMatchObject({
      code: "FILE_TAIL_LINE_TOO_LONG",
      message: "a line of app.log is longer than 100 bytes, at byte 6",
    });
  });
});
