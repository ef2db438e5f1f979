import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { PulsarAdmin, readTopicToEnd } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../test/stack.ts";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

const secret = '{"count": 1, "apiKey": "canary-in-a-mine"}';

function toConsole(connector: string, ...more: string[]): string[] {
  return ["run", "--archive", fixture(connector), "--output", "console", ...more];
}

/** An address of this machine at which nothing listens. */
async function unusedAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  server.close();
  await once(server, "close");
  return `pulsar://127.0.0.1:${port}`;
}

describe("the process pulsar-ts-io", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("drains and ends with 0 on %s", async (signal) => {
    await using cli = new RealCli(toConsole("good"));
    await cli.shows("record 3");
    cli.kill(signal);
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr).toContain('"acknowledged":3');
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends at once on a second %s, with %i", async (signal, code) => {
    await using cli = new RealCli(toConsole("deaf"));
    await cli.shows("source opened");
    cli.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 50)); // two of a kind at once are one signal to the kernel
    cli.kill(signal);
    expect(await cli.exited).toEqual({ code, signal: null });
  });

  it("ends with 70 and one error when a connector fails where nobody waits", async () => {
    await using cli = new RealCli(toConsole("rejecting-aside"));
    expect(await cli.exited).toEqual({ code: 70, signal: null });
    expect(cli.stderr).toMatch(
      /^error: something failed unexpectedly: nobody awaited this \[PIO_INTERNAL\]\nremedy: /m,
    );
  });

  it.runIf(process.platform === "linux")("shows no secret in the process list, and warns", async () => {
    await using cli = new RealCli(toConsole("good", "--source-config", secret));
    await cli.shows("record 1");
    expect(readFileSync(`/proc/${cli.child.pid}/cmdline`, "utf8")).not.toContain("canary");
    expect(cli.stderr).toContain("secrets on the command line");
    expect(cli.stderr + cli.stdout).not.toContain("canary");
  });

  it("ends quietly when the reader of its output goes away", async () => {
    await using cli = new RealCli(
      toConsole("good", "--source-config", '{"count": 1000000}', "--log-level", "error"),
    );
    await cli.shows("record 1");
    cli.child.stdout.destroy();
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr).toBe("");
  });

  it.runIf(process.platform === "linux")("goes on when its log cannot be written, and drains", async () => {
    await using cli = new RealCli(toConsole("good"), {}, { fullLog: true });
    await cli.shows("record 3");
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
  });

  it("reads its config from standard input", async () => {
    await using cli = new RealCli(toConsole("good", "--source-config", "-"));
    cli.child.stdin.end("label: piped");
    await cli.shows("piped 3");
    cli.kill("SIGTERM");
    expect((await cli.exited).code).toBe(0);
  });

  it("says that Pulsar cannot be reached, and opens no source", async () => {
    const args = [
      "run",
      "--archive",
      fixture("good"),
      "-o",
      "t",
      "--broker-service-url",
      await unusedAddress(),
    ];
    await using cli = new RealCli(args);
    expect(await cli.exited).toEqual({ code: 5, signal: null });
    expect(cli.stderr).toMatch(/error: publishing to Pulsar failed: .* \[PIO_PULSAR_UNREACHABLE\]\nremedy: /);
    expect(cli.stderr).not.toContain("source opened");
  }, 60_000);

  it("stops with 0 while it still tries to reach Pulsar", async () => {
    const args = [
      "run",
      "--archive",
      fixture("good"),
      "-o",
      "t",
      "--broker-service-url",
      await unusedAddress(),
    ];
    await using cli = new RealCli(args);
    await cli.shows("PIO_PULSAR_UNREACHABLE");
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
  });
});

describeWithStack("the process pulsar-ts-io with a broker", (stack) => {
  const serviceUrl = stack.pulsarServiceUrl;

  it("publishes what the source reads, byte for byte", async () => {
    const topic = uniqueTopic("runtime");
    await using cli = new RealCli([
      ...["run", "--archive", fixture("good"), "-o", topic, "--broker-service-url", serviceUrl],
      ...["--source-config", '{"label": "for Pulsar"}'],
    ]);
    const messages = await readTopicToEnd({
      serviceUrl,
      topic,
      count: 3,
      idleMs: 30_000,
    });
    expect(messages.map(({ value }) => value?.toString())).toEqual([
      "for Pulsar 1",
      "for Pulsar 2",
      "for Pulsar 3",
    ]);
    expect(messages.map(({ key, properties }) => [key, properties])).toEqual([
      ["k", { sequence: "1" }],
      ["k", { sequence: "2" }],
      ["k", { sequence: "3" }],
    ]);
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr).toContain('"acknowledged":3');
  });

  it("publishes the log of the source to its log topic, too, with Pulsar's properties and no secret", async () => {
    const logTopic = uniqueTopic("log");
    await using cli = new RealCli([
      ...["run", "--archive", fixture("good"), "--output", "console", "--broker-service-url", serviceUrl],
      ...[
        "--log-topic",
        logTopic,
        "--name",
        "logging",
        "--source-config",
        '{"label": "canary-in-a-mine", "apiKey": "canary-in-a-mine"}',
      ],
    ]);
    await cli.shows("canary-in-a-mine 3");
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    const lines = await readTopicToEnd({ serviceUrl, topic: logTopic, count: 4, idleMs: 30_000 });
    const texts = lines.map(({ value }) => value?.toString() ?? "");
    expect(texts[0]).toContain("a sensitive field is logged");
    expect(texts[1]).toContain("source opened, reading  source=public/default/logging");
    expect(texts.at(-1)).toContain("fixture closed");
    expect(texts.join("\n")).not.toContain("canary");
    expect(lines.map(({ properties }) => properties)).toEqual(
      lines.map(() => ({ loglevel: "INFO", instance: "0", fqn: "public/default/logging" })),
    );
  });

  it("ends with 5 when the topic's tenant does not exist", async () => {
    await using cli = new RealCli([
      ...["run", "--archive", fixture("good"), "-o", "persistent://nobody/nothing/t"],
      ...["--broker-service-url", serviceUrl],
    ]);
    expect(await cli.exited).toEqual({ code: 5, signal: null });
    expect(cli.stderr).toMatch(/^error: publishing to Pulsar failed: .*\[PIO_\w+\]\nremedy: /m);
  });

  it("ends with 5 when its topic is terminated under way: no other start would find it otherwise", async () => {
    const topic = uniqueTopic("terminated");
    await using cli = new RealCli([
      ...["run", "--source-type", "data-generator", "--source-config", '{"recordsPerSecond": 50}'],
      ...["-o", topic, "--broker-service-url", serviceUrl],
    ]);
    await readTopicToEnd({ serviceUrl, topic, count: 1, idleMs: 30_000 });
    await new PulsarAdmin(stack.pulsarAdminUrl).terminate(topic);
    expect(await cli.exited).toEqual({ code: 5, signal: null });
    expect(cli.stderr).toMatch(/^error: publishing to Pulsar failed: .*\[PIO_TOPIC_TERMINATED\]\nremedy: /m);
    expect(cli.stderr).not.toContain("it is started again");
  });
});
