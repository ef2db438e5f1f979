import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { parseExposition } from "../support/exposition.ts";
import { cli, FakeProcess, fixture, loadingTime } from "../support/fake-process.ts";

const secret = "hunter2-canary";

function run(...more: string[]): string[] {
  return ["run", "--archive", fixture("good"), "--output", "console", "--name", "watched", ...more];
}

/** Runs a source with an HTTP port until `look` has seen enough. */
async function observed(args: readonly string[], look: (url: string, proc: FakeProcess) => Promise<void>) {
  const proc = new FakeProcess(run("--http-port", "0", ...args), { env: { CANARY: secret } });
  const ended = runCli(proc, []);
  await proc.shows("source opened, reading");
  const url = /"url":"(http:[^"]+)"/.exec(proc.stderr.text)?.[1] ?? "";
  await look(url, proc);
  proc.emit("SIGTERM");
  await ended;
  expect(await proc.exited).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
  return proc;
}

describe("pulsar-ts-io run --http-port", loadingTime, () => {
  it("serves status, health and metrics while it runs", async () => {
    await observed(["--source-config", '{"count": 3}'], async (url, proc) => {
      await proc.shows("record 3");
      const get = async (path: string) => await (await fetch(new URL(path, url))).text();
      expect(JSON.parse(await get("/status"))).toMatchObject({
        numInstances: 1,
        numRunning: 1,
        instances: [{ instanceId: 0, status: { running: true, numReceivedFromSource: 3, numWritten: 3 } }],
        source: { tenant: "public", namespace: "default", name: "watched", connector: "good" },
      });
      expect(JSON.parse(await get("/health"))).toEqual({ status: "ok", reason: "alive" });
      expect(JSON.parse(await get("/ready"))).toEqual({ status: "ok", reason: "1 of 1 instances ready" });
      const samples = parseExposition(await get("/metrics"));
      const labels = {
        tenant: "public",
        namespace: "public/default",
        name: "watched",
        instance_id: "0",
        cluster: "local",
        fqfn: "public/default/watched",
      };
      expect(samples).toContainEqual({ name: "pulsar_source_written_total", labels, value: 3 });
      expect(samples.some(({ name }) => name === "process_cpu_seconds_total")).toBe(true);
    });
  });

  it("shows the config in force, and no secret of it", async () => {
    const config = JSON.stringify({ count: 1, label: "$" + "{env:CANARY}" });
    await observed(["--source-config", config], async (url) => {
      const status = await (await fetch(new URL("/status", url))).json();
      expect(status).toMatchObject({ source: { configs: { count: 1, label: "$" + "{env:CANARY}" } } });
      for (const path of ["/", "/status", "/metrics", "/health", "/ready", "/history", "/status.js"]) {
        const body = await (await fetch(new URL(path, url))).text();
        expect([path, body.includes(secret)]).toEqual([path, false]);
      }
    });
  });

  it("ends with 2 before anything is opened when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const outcome = await cli(run("--http-port", String(port)));
    other.close();
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(
      `at 127.0.0.1:${port}: the port is taken [PIO_HTTP_PORT]\nremedy: choose another`,
    );
    expect(outcome.stderr).not.toContain("source opened");
  });

  it.each(["65536", "-1", "http"])("refuses %s as a port", async (port) => {
    const outcome = await cli(run(`--http-port=${port}`));
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain("It must be a port");
  });

  it("takes pulsar-admin's --metrics-port-start for it", async () => {
    const proc = new FakeProcess(run("--metricsPortStart", "0"));
    const ended = runCli(proc, []);
    await proc.shows("serving status and metrics");
    await proc.shows("source opened, reading");
    proc.emit("SIGTERM");
    await ended;
    expect(proc.stderr.text).not.toContain("no effect");
  });
});
