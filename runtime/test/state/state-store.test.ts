import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StateStore } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { openState, parseStatePlace } from "../../src/state/open-state.ts";

const source = { tenant: "public", namespace: "default", name: "test" };

function folder(): string {
  return mkdtempSync(join(tmpdir(), "state-"));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function text(store: StateStore, key: string): Promise<string | undefined> {
  const value = await store.get(key);
  return value === undefined ? undefined : Buffer.from(value).toString();
}

/** What every place keeps. */
function stateStoreContract(open: () => StateStore): void {
  it("keeps what was put last, byte for byte, until it is deleted", async () => {
    const store = open();
    expect(await store.get("a")).toBeUndefined();
    await store.put("a", Uint8Array.of(0, 255, 10));
    expect(await store.get("a")).toEqual(Uint8Array.of(0, 255, 10));
    await store.put("a", bytes("second"));
    expect(await text(store, "a")).toBe("second");
    await store.delete("a");
    await store.delete("a");
    expect(await store.get("a")).toBeUndefined();
  });

  it("keeps each key by itself, whatever characters it has", async () => {
    const store = open();
    const keys = ["a", "A", "../a", "a/b", "ä", "", "%2e", "a.state", "."];
    for (const key of keys) await store.put(key, bytes(`value of ${key}`));
    for (const key of keys) expect(await text(store, key)).toBe(`value of ${key}`);
  });

  it("keeps a copy: what happens to the bytes later does not matter", async () => {
    const store = open();
    const value = bytes("before");
    const put = store.put("a", value);
    value.fill(0);
    await put;
    const read = await store.get("a");
    read?.fill(0);
    expect(await text(store, "a")).toBe("before");
  });

  it("counts up and down from 0, also when many count at once", async () => {
    const store = open();
    expect(await store.getCounter("c")).toBe(0n);
    await Promise.all(Array.from({ length: 20 }, () => store.incrCounter("c", 3n)));
    await store.incrCounter("c", -10n);
    expect(await store.getCounter("c")).toBe(50n);
    expect(await store.get("c")).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 50));
  });

  it("lets calls for one key take effect in their order", async () => {
    const store = open();
    const calls = ["1", "2", "3", "4"].map((value) => store.put("a", bytes(value)));
    const seen = text(store, "a");
    void store.put("a", bytes("5"));
    await Promise.all(calls);
    expect(await seen).toBe("4");
  });

  it("refuses to count with what is no counter, and beyond 64 bits", async () => {
    const store = open();
    await store.put("a", bytes("text"));
    await expect(store.getCounter("a")).rejects.toMatchObject({ code: "PIO_STATE_STORE" });
    await expect(store.incrCounter("a", 1n)).rejects.toMatchObject({ code: "PIO_STATE_STORE" });
    expect(await text(store, "a")).toBe("text");
    await store.incrCounter("c", 2n ** 63n - 1n);
    await expect(store.incrCounter("c", 1n)).rejects.toMatchObject({ code: "PIO_STATE_STORE" });
    expect(await store.getCounter("c")).toBe(2n ** 63n - 1n);
  });
}

describe("state in memory", () => {
  stateStoreContract(() => openState({ kind: "memory" }, source));
});

describe("state in files", () => {
  stateStoreContract(() => openState({ kind: "file", directory: folder() }, source));

  it("is there for the next process, and for no other source", async () => {
    const place = { kind: "file", directory: folder() } as const;
    await openState(place, source).put("a", bytes("kept"));
    expect(await text(openState(place, source), "a")).toBe("kept");
    expect(await text(openState(place, { ...source, name: "other" }), "a")).toBeUndefined();
    expect(await text(openState(place, { ...source, tenant: ".." }), "a")).toBeUndefined();
  });

  it("leaves nothing beside the values, and creates nothing before the first", async () => {
    const directory = join(folder(), "deep", "er");
    const store = openState({ kind: "file", directory }, source);
    await store.get("a");
    await store.delete("a");
    expect(existsSync(directory)).toBe(false);
    await store.put("a", bytes("x"));
    await store.put("a", bytes("y"));
    expect(readdirSync(join(directory, "public%default%test"))).toEqual(["61.state"]);
  });

  it("leaves the value as it was when a write cannot be finished, and goes on afterwards", async () => {
    const directory = folder();
    const store = openState({ kind: "file", directory }, source);
    await store.put("a", bytes("before"));
    const own = join(directory, "public%default%test");
    // Nobody can write a file where there is a directory.
    const beside = join(own, `61.state.${process.pid}.new`);
    mkdirSync(beside);
    const failed = store.put("a", bytes("after"));
    const next = store.get("a");
    await expect(failed).rejects.toMatchObject({ code: "PIO_STATE_STORE", retryable: true });
    expect(Buffer.from((await next) ?? []).toString()).toBe("before");
    rmSync(beside, { recursive: true });
    await store.put("a", bytes("after"));
    expect(await text(store, "a")).toBe("after");
  });

  it("says where it cannot keep the state, and what to do about it", async () => {
    const file = join(folder(), "file");
    writeFileSync(file, "");
    const store = openState({ kind: "file", directory: file }, source);
    await expect(store.put("a", bytes("x"))).rejects.toMatchObject({
      message: expect.stringContaining(`the state a cannot be kept in ${join(file, "public%default%test")}`),
      remedy: "look at the directory and its file system",
    });
  });
});

describe("no state", () => {
  it("refuses every call in Pulsar's words", async () => {
    const store = openState({ kind: "none" }, source);
    const calls = [
      () => store.get("a"),
      () => store.put("a", bytes("x")),
      () => store.delete("a"),
      () => store.incrCounter("a", 1n),
      () => store.getCounter("a"),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        message: "State public/default/test is not enabled.",
        code: "PIO_STATE_DISABLED",
      });
    }
  });
});

it.each([
  ["memory", { kind: "memory" }],
  ["file:/var/lib/x", { kind: "file", directory: "/var/lib/x" }],
  ["file:", undefined],
  ["redis", undefined],
])("takes %s for %j", (written, place) => {
  expect(parseStatePlace(written)).toEqual(place);
});
