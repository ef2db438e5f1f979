import { readTopicToEnd } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { NumberedSource } from "../harness/numbered-source.ts";
import { describeWithStack, uniqueTopic } from "../stack.ts";

const count = 5_000;

describeWithStack("the real CLI with the data generator", (stack) => {
  const serviceUrl = stack.pulsarServiceUrl;

  it("publishes what was asked for, each record once and in the order of its partition", async () => {
    const topic = uniqueTopic("generated");
    const config = {
      recordsPerSecond: 0,
      count,
      partitions: 2,
      keys: 3,
      template: "{{partition}}:{{sequence}}",
    };
    await using cli = new Cli([
      ...["run", "--source-type", "data-generator", "--source-config", JSON.stringify(config)],
      ...["--broker-service-url", serviceUrl, "--destination-topic-name", topic],
    ]);
    const messages = await readTopicToEnd({ serviceUrl, topic, count, idleMs: 30_000 });
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    const expected = Array.from({ length: count }, (_, number) => `${number % 2}:${Math.floor(number / 2)}`);
    expect(messages.map(({ value }) => value?.toString())).toEqual(expected);
    expect(new Set(messages.map(({ key }) => key))).toEqual(new Set(["key-0", "key-1", "key-2"]));
  });

  it("stores each record once by EFFECTIVELY_ONCE though it was killed and began anew", async () => {
    const source = await NumberedSource.create(stack);
    const topic = source.topic("generated");
    const template = "{{partition}}:{{sequence}}";
    const config = { count, partitions: 2, keys: 0, template };
    const run = (recordsPerSecond: number) =>
      new Cli([
        ...[
          "run",
          "--source-type",
          "data-generator",
          "--source-config",
          JSON.stringify({ ...config, recordsPerSecond }),
        ],
        ...["--broker-service-url", serviceUrl, "--web-service-url", stack.pulsarAdminUrl],
        ...["--destination-topic-name", topic, "--processing-guarantees", "EFFECTIVELY_ONCE"],
      ]);
    await using first = run(500);
    await readTopicToEnd({ serviceUrl, topic, count: 1_000, idleMs: 30_000 });
    await first.crash();
    expect(first.output).not.toContain("all records made");
    await using second = run(0);
    await eventually("all to be made again", () => second.output.includes("all records made"));
    expect(await second.stop(), second.output).toEqual(cleanExit);
    const stored = (await readTopicToEnd({ serviceUrl, topic, idleMs: 3_000 })).map(({ value }) =>
      value?.toString(),
    );
    const expected = Array.from({ length: count }, (_, number) => `${number % 2}:${Math.floor(number / 2)}`);
    expect(stored.toSorted()).toEqual(expected.toSorted());
  });

  it("needs no setting to show records on a terminal", async () => {
    await using cli = new Cli(["run", "--source-type", "data-generator", "--output", "console"]);
    await eventually("three records on the screen", () => cli.stdout.join("").includes('"sequence":2'));
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
  });
});
