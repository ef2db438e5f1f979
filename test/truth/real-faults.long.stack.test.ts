import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type LocalPulsar, PulsarAdmin, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { ObservedRun } from "../harness/observed-run.ts";
import { type PipelineOptions, runPipeline } from "../harness/pipeline.ts";
import { TcpProxy } from "../harness/tcp-proxy.ts";
import { describeWithStack, uniqueName } from "../stack.ts";
import { faults, type Shown, well } from "./faults.ts";

/** Thirty seconds, and what a loaded machine adds to them. */
const shownMs = 45_000;
const feedMs = 250;
/** The smallest port of this machine that nothing listens at. */
const closedPort = 1;
/** Shards are listed every two minutes at most: this may fail, too, or not be due yet. */
const mayFailToo = "list of shards";

/** Sentences of real services that differ from the table's. The broker does not say that a token has expired. */
const saidInReality: Readonly<Record<string, string>> = {
  "lease table (DynamoDB) away": "DynamoDB at http",
  "token expired": "AuthenticationError",
};

/** What has to be seen of a fault by the table of faults in memory. */
function shownOf(name: string): Shown {
  const fault = faults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`the table has no fault "${name}"`);
  const { shown } = fault;
  return {
    ...shown,
    troubles: shown.troubles.filter((what) => what !== mayFailToo),
    exception: saidInReality[name] ?? shown.exception,
  };
}

interface Status {
  readonly instances: readonly {
    readonly status: { readonly latestSystemExceptions: readonly { readonly exceptionString: string }[] };
    readonly details: { readonly state: string; readonly troubles: readonly { readonly what: string }[] };
  }[];
}

/** What the pages answer now, in the form of what is expected of them. */
async function seen(run: ObservedRun) {
  const [health, ready, status] = [
    await run.get("/health"),
    await run.get("/ready"),
    await run.get("/status"),
  ];
  const { instances }: Status = JSON.parse(status.body);
  const samples = await run.samples("pulsar_ts_io_ready");
  const failing = await run.samples("pulsar_ts_io_trouble_seconds");
  return {
    health: health.code,
    ready: ready.code,
    states: instances.map(({ details }) => details.state),
    troubles: instances.flatMap(({ details }) =>
      details.troubles.map(({ what }) => what).filter((what) => what !== mayFailToo),
    ),
    exception: instances.flatMap((one) => one.status.latestSystemExceptions).at(-1)?.exceptionString,
    readySeries: samples.map(({ value }) => value),
    failingSeries: failing.map(({ labels }) => labels["what"]).filter((what) => what !== mayFailToo),
  };
}

/** Waits until all pages show it. */
async function shows(run: ObservedRun, cli: Cli, shown: Shown): Promise<void> {
  const { health, ready, states, troubles, exception, readySeries } = shown;
  const expected = {
    ...{ health, ready, states, readySeries },
    troubles: [...troubles].sort(),
    failingSeries: [...troubles].sort(),
    ...(exception === undefined ? {} : { exception: expect.stringContaining(exception) }),
  };
  const deadline = performance.now() + shownMs;
  for (;;) {
    const now = await seen(run);
    const sorted = { ...now, troubles: now.troubles.sort(), failingSeries: now.failingSeries.sort() };
    try {
      expect(sorted, JSON.stringify(now)).toMatchObject(expected);
      break;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  if (shown.log !== undefined) expect(cli.output).toContain(shown.log);
}

describeWithStack("each surface during a real fault", (stack) => {
  let broker: LocalPulsar;
  let admin: PulsarAdmin;
  let tokenFile: string;
  const folder = mkdtempSync(join(tmpdir(), "faults-"));

  beforeAll(async () => {
    const settings = { allowAutoTopicCreation: false, authenticationRefreshCheckSeconds: 1 };
    broker = await startPulsar({ token: true, settings });
    admin = new PulsarAdmin(broker.adminUrl, { token: broker.token });
    tokenFile = join(folder, "token");
    writeFileSync(tokenFile, broker.token ?? "");
  }, 240_000);

  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A source that is well, with records that keep coming. */
  async function start(name: string, more: readonly string[] = []) {
    const stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName(name), 2);
    const topic = `persistent://public/default/${stream.name}`;
    await admin.createTopic(topic);
    const kinesis = await TcpProxy.start();
    const dynamo = await TcpProxy.start();
    kinesis.target = portOf(stack.kinesisEndpoint);
    dynamo.target = portOf(stack.dynamoEndpoint);
    const options: PipelineOptions = {
      kinesisEndpoint: `http://127.0.0.1:${kinesis.port}`,
      dynamoEndpoint: `http://127.0.0.1:${dynamo.port}`,
      pulsarServiceUrl: broker.serviceUrl,
      streamName: stream.name,
      applicationName: stream.name,
      topic,
      args: [
        ...["--http-port", "0", "--client-auth-plugin", "token", "--client-auth-params", `file:${tokenFile}`],
        ...more,
      ],
    };
    const cli = runPipeline(options);
    let put = 0;
    const feeding = setInterval(() => {
      put += 1;
      stream.put([{ data: Buffer.from(String(put)), key: String(put) }]).catch(() => {});
    }, feedMs);
    const run = await ObservedRun.of(cli);
    return {
      cli,
      run,
      topic,
      kinesis,
      dynamo,
      async [Symbol.asyncDispose]() {
        clearInterval(feeding);
        await cli[Symbol.asyncDispose]();
        await kinesis[Symbol.asyncDispose]();
        await dynamo[Symbol.asyncDispose]();
      },
    };
  }

  const oneWell = { ...well, exception: undefined };

  it("shows that the broker was killed, and that it is back", async () => {
    await using source = await start("broker");
    await shows(source.run, source.cli, oneWell);
    await broker.kill();
    await shows(source.run, source.cli, shownOf("broker away"));
    await broker.restart();
    await shows(source.run, source.cli, oneWell);
  }, 300_000);

  it.each([
    ["Kinesis away", "kinesis", "kinesisEndpoint"],
    ["lease table (DynamoDB) away", "dynamo", "dynamoEndpoint"],
  ] as const)(
    "shows a service that is away, and that it is back: %s",
    async (fault, proxy, endpoint) => {
      await using source = await start(proxy);
      await shows(source.run, source.cli, oneWell);
      source[proxy].target = closedPort;
      source[proxy].reset();
      await shows(source.run, source.cli, shownOf(fault));
      source[proxy].target = portOf(stack[endpoint]);
      await shows(source.run, source.cli, oneWell);
    },
    200_000,
  );

  it("shows that one of two instances was killed, and that it is back", async () => {
    await using source = await start("killed", ["--parallelism", "2"]);
    const both: Shown = { ...oneWell, states: ["running", "running"], readySeries: [1, 1] };
    await shows(source.run, source.cli, both);
    const { pid } = source.cli;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    process.kill(Number(children.trim().split(" ").at(-1)), "SIGKILL");
    await shows(source.run, source.cli, shownOf("one of two instances killed"));
  }, 200_000);

  it("ends with 5 when the topic is terminated, and says so", async () => {
    await using source = await start("terminated");
    await shows(source.run, source.cli, oneWell);
    await admin.terminate(source.topic);
    expect(await source.cli.exited, source.cli.output).toEqual({ code: 5, signal: null });
    const { log, exception } = shownOf("topic terminated");
    expect(source.cli.output).toContain(log);
    expect(source.cli.output).toContain(exception);
  }, 200_000);

  it("shows that the topic was deleted, and that it was created again", async () => {
    await using source = await start("deleted");
    await shows(source.run, source.cli, oneWell);
    await deleteTopic(source.topic);
    await shows(source.run, source.cli, shownOf("topic deleted, and not created again"));
    await admin.createTopic(source.topic);
    await shows(source.run, source.cli, oneWell);
  }, 200_000);

  it("shows that the token expired, and that there is a new one", async () => {
    // The broker counts in whole seconds.
    writeFileSync(tokenFile, broker.tokenFor("admin", Date.now() + 40_000));
    await using source = await start("token");
    await shows(source.run, source.cli, oneWell);
    await new Promise((resolve) => setTimeout(resolve, 40_000));
    await shows(source.run, source.cli, shownOf("token expired"));
    writeFileSync(tokenFile, broker.token ?? "");
    await shows(source.run, source.cli, oneWell);
  }, 300_000);

  async function deleteTopic(topic: string): Promise<void> {
    const path = topic.replace("://", "/");
    const response = await fetch(`${broker.adminUrl}/admin/v2/${path}?force=true`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${broker.token}` },
    });
    expect(response.status).toBe(204);
  }

  const root = process.getuid?.() === 0;

  it.skipIf(!root)(
    "shows that the disk of the state store is full (mounting one takes root)",
    async () => {
      const disk = mkdtempSync(join(tmpdir(), "disk-"));
      expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).status).toBe(0);
      try {
        const topic = `persistent://public/default/${uniqueName("disk")}`;
        await admin.createTopic(topic);
        await using cli = new Cli([
          ...["run", "--source-type", "data-generator", "--source-config", '{"recordsPerSecond":20}'],
          ...["--broker-service-url", broker.serviceUrl, "--destination-topic-name", topic],
          ...["--client-auth-plugin", "token", "--client-auth-params", `token:${broker.token}`],
          ...["--http-port", "0", "--state-store", `file:${disk}`],
        ]);
        const run = await ObservedRun.of(cli);
        await shows(run, cli, oneWell);
        await eventually("a full disk", () => {
          const filled = spawnSync("dd", ["if=/dev/zero", `of=${disk}/filler`, "bs=1k"]);
          return filled.status !== 0;
        });
        await shows(run, cli, shownOf("disk full (state store)"));
        rmSync(join(disk, "filler"));
        await shows(run, cli, oneWell);
        await cli.stop();
      } finally {
        spawnSync("umount", ["-l", disk]);
        rmSync(disk, { recursive: true, force: true });
      }
    },
    200_000,
  );
});

function portOf(endpoint: string): number {
  return Number(new URL(endpoint).port);
}
