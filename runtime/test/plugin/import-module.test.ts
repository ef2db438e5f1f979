import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import type { ConnectorPackage } from "../../src/plugin/connector-package.ts";
import { loadSource } from "../../src/plugin/load-source.ts";
import { PluginHost } from "../../src/plugin/plugin-host.ts";
import { tryModule } from "../../src/plugin/try-module.ts";
import { fixture } from "../support/fake-process.ts";

const neverLoaded = "await new Promise(() => undefined);";

/** The good connector of the fixtures, but for its module. */
async function connectorWith(code: string): Promise<ConnectorPackage> {
  const host = new PluginHost({ builtIns: [], connectorsDirectory: fixture("") });
  const directory = mkdtempSync(join(tmpdir(), "module-"));
  writeFileSync(join(directory, "index.mjs"), code);
  const connector = await host.find({ kind: "name", name: "good" });
  const sourceClass = { file: "index.mjs", exportName: "FixtureSource" };
  return { ...connector, directory, manifest: { ...connector.manifest, sourceClass } };
}

describe("a module that never finishes loading", () => {
  it("is waited for during a minute, and the error names it", async () => {
    const clock = new TestClock();
    const connector = await connectorWith(neverLoaded);
    const loading = loadSource(connector, { clock }).catch((error: unknown) => error);
    while (clock.sleepers === 0) await nextTurn();
    await clock.advance(60_000);
    expect(await loading).toMatchObject({
      code: "PIO_PLUGIN_LOAD",
      message: "the module of connector good failed to load: it was not loaded after 60000 ms",
      remedy: expect.stringContaining(join(connector.directory, "index.mjs")),
    });
  });

  it("holds up no stop", async () => {
    const stop = new AbortController();
    const loading = loadSource(await connectorWith(neverLoaded), { signal: stop.signal });
    const reason = new Error("SIGTERM received");
    stop.abort(reason);
    await expect(loading).rejects.toBe(reason);
  });
});

describe("trying a module", () => {
  it("ends one that only loops while it is loaded", async () => {
    const clock = new TestClock();
    const trial = tryModule(await connectorWith("for (;;);"), clock);
    await clock.advance(20_000);
    expect(await trial).toEqual({ kind: "unusable", why: "it is not loaded after 20 seconds" });
  });

  it("does not wait for one that waits for nothing", async () => {
    const trial = await tryModule(await connectorWith(neverLoaded));
    expect(trial).toEqual({ kind: "unusable", why: "it ends its process when it is loaded" });
  });
});
