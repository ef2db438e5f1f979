import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { cli, loadingTime } from "../support/fake-process.ts";
import { report } from "../support/report.ts";
import { ServedSource } from "../support/watched-source.ts";

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const part of opened.splice(0)) await part[Symbol.asyncDispose]();
});

async function served(): Promise<{ readonly source: ServedSource; readonly port: string }> {
  const source = new ServedSource();
  opened.push(source);
  return { source, port: new URL(await source.open()).port };
}

/** A server that is none of ours. */
async function stranger(body: string, status = 200): Promise<string> {
  const server: Server = createServer((_request, response) => response.writeHead(status).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push({ [Symbol.asyncDispose]: async () => void server.close() });
  const address = server.address();
  return String(typeof address === "object" ? address?.port : "");
}

describe("pulsar-ts-io status", loadingTime, () => {
  it("shows what runs, its partitions and its last failures", async () => {
    const { source, port } = await served();
    source.reports = [
      report({
        counts: { received: 12, written: 10, inFlight: 2, lagMs: 90_000, systemExceptions: 1 },
        restarts: 3,
        systemErrors: [{ message: "[E]: went \u001b[31mred", atMs: 0 }],
        partitions: [
          { id: "well-1", owner: "w", activity: "reading", lagMs: 90_000, checkpointAgeMs: 1_200 },
          { id: "well-2", finished: true },
        ],
      }),
      report({ instanceId: 1, state: "restarting", error: "the well is dry" }),
    ];
    const { code, stdout } = await cli(["status", "--http-port", port]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "public/default/orders: 1 of 2 running",
        "wells -> persistent://public/default/orders, ATLEAST_ONCE",
        "pulsar-ts-io 0.1.0, up 2 h",
        "",
        "INSTANCE  STATE       READ  WRITTEN  IN FLIGHT  LAG   RESTARTS  FAILURES",
        "0         running     12    10       2          90 s  3         1",
        "1         restarting  0     0        0          ?     0         0",
        "",
        "PARTITION  OWNER  ACTIVITY  LAG   PER SECOND  CHECKPOINT AGE",
        "well-1     w      reading   90 s  ?           1 s",
        "well-2     -      finished  ?     ?           ?",
        "",
        "instance 0",
        "  1970-01-01T00:00:00.000Z [E]: went ?[31mred",
        "",
        "instance 1: the well is dry",
        "",
      ].join("\n"),
    );
  });

  it("prints Pulsar's own status with --json", async () => {
    const { source, port } = await served();
    source.reports = [report()];
    const { stdout } = await cli(["status", "--http-port", port, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ numInstances: 1, instances: [{ status: { running: true } }] });
  });

  it("ends with 4 when nothing answers, and says how to make it answer", async () => {
    const port = await stranger("");
    await opened.pop()?.[Symbol.asyncDispose]();
    const { code, stderr } = await cli(["status", "--http-port", port]);
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /no status at 127\.0\.0\.1:\d+: connect ECONNREFUSED.* \[PIO_NO_STATUS\]\nremedy: .*--http-port/,
    );
  });

  it.each(["<html></html>", "[]", "{}", '{"instances":[]}'])("knows that %s is no status", async (body) => {
    const { code, stderr } = await cli(["status", "--http-port", await stranger(body)]);
    expect(code).toBe(4);
    expect(stderr).toContain("what answers is not pulsar-ts-io");
  });

  it("rejects an answer that is longer than a status can be, whoever sends it", async () => {
    const port = await stranger(`{"instances":[],"source":{},"x":"${"x".repeat(17 * 1_048_576)}"}`);
    const { code, stderr } = await cli(["status", "--http-port", port]);
    expect(code).toBe(4);
    expect(stderr).toContain("its answer has more than 16777216 bytes");
  });

  it("says what the server says when it does not tell", async () => {
    const { stderr } = await cli(["status", "--http-port", await stranger("starting\n", 503)]);
    expect(stderr).toContain(": starting [PIO_NO_STATUS]");
  });
});
