import { readTopicToEnd } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { describeWithStack, uniqueTopic } from "../stack.ts";
import { PulsarAdminHome } from "./pulsar-admin.ts";

describeWithStack("the real pulsar-admin sources localrun", ({ pulsarServiceUrl: serviceUrl }) => {
  let home: PulsarAdminHome;

  beforeAll(async () => {
    home = await PulsarAdminHome.make();
  });

  afterAll(async () => {
    await home[Symbol.asyncDispose]();
  });

  it("runs a TypeScript connector, and its Ctrl-C drains", async () => {
    const topic = uniqueTopic("localrun");
    const config = { recordsPerSecond: 0, count: 500, template: "{{sequence}}" };
    await using run = home.start([
      ...["sources", "localrun", "--name", "lr1", "--archive", "builtin://data-generator"],
      ...["--destination-topic-name", topic, "--broker-service-url", serviceUrl],
      ...["--source-config", JSON.stringify(config), "--processing-guarantees", "ATLEAST_ONCE"],
      ...["--producer-config", '{"compressionType":"ZSTD","maxPendingMessages":100}', "--parallelism", "1"],
      ...["--cpu", "1", "--ram", "1000000000", "--disk", "1000000000"],
    ]);
    const messages = await readTopicToEnd({ serviceUrl, topic, count: 500, idleMs: 60_000 });
    expect(messages.map(({ value }) => value?.toString())).toEqual(
      Array.from({ length: 500 }, (_, sequence) => String(sequence)),
    );
    await run.interrupt();
    expect(run.output).toContain('"source":"public/default/lr1"');
    expect(run.output).toMatch(/"written":500,.*"inFlight":0,.*"msg":"run ended"/);
  });

  it("takes its old spellings, and lets the environment tell what it has no option for", async () => {
    await using run = home.start(
      [
        "sources",
        "localrun",
        "--name",
        "lr2",
        "--sourceConfig",
        '{"count":1}',
        "-o",
        "t",
        "-a",
        "builtin://data-generator",
      ],
      { PULSAR_TS_IO_OUTPUT: "console" },
    );
    await eventually("a record on the screen", () => run.output.includes("all records made"));
    await run.interrupt();
    expect(run.output).toContain('content:{"partition":0,"sequence":0');
  });

  it("shows our errors, and ends with 0 whatever happened, as it does with Java's", async () => {
    await using run = home.start([
      ...["sources", "localrun", "--name", "lr3", "-a", "builtin://data-generator", "-o", "t"],
      ...["--source-config", '{"cuont":1}'],
    ]);
    expect(await run.ended()).toBe(0);
    expect(run.output).toContain("error: the config is not valid: cuont");
    expect(run.output).toContain("did you mean count?");
  });
});
