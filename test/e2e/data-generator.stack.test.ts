import { readTopicToEnd } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { describeWithStack, uniqueTopic } from "../stack.ts";

const count = 5_000;

describeWithStack("the real CLI with the data generator", ({ pulsarServiceUrl: serviceUrl }) => {
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

  it("needs no setting to show records on a terminal", async () => {
    await using cli = new Cli(["run", "--source-type", "data-generator", "--output", "console"]);
    await eventually("three records on the screen", () => cli.stdout.join("").includes('"sequence":2'));
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
  });
});
