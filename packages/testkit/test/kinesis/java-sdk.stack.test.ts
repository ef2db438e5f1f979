import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { describeWithStack } from "../../../../test/stack.ts";
import { prepareJava, startKinesisDouble, TestClock } from "../../src/index.ts";

describeWithStack("the AWS SDK for Java", () => {
  it("puts, polls and subscribes to the double with the protocols of its own choice", async () => {
    const { java, args } = await prepareJava({
      path: fileURLToPath(new URL("SdkReader.java", import.meta.url)),
      jars: {
        name: "kcl",
        pom: fileURLToPath(new URL("../../../../test/interop/pom.xml", import.meta.url)),
        version: "2.6.0",
        properties: { "kcl.version": "2.6.0" },
        title: "the AWS SDK for Java, with the Java KCL 2.6.0",
        megabytes: 75,
        duration: "about a minute",
      },
    });
    const clock = new TestClock();
    await using double = await startKinesisDouble({ clock });
    const stream = double.model.createStream("orders", 1);
    const consumer = stream.consumers.register("app", clock.now());
    const [shard] = stream.shards(clock.now());
    stream.put({ partitionKey: "k", data: "dW5k", dataBytes: 3 }, clock.now());
    const given = [double.endpoint, "orders", shard?.id ?? "", consumer.arn];
    const reading = promisify(execFile)(java, ["-XX:TieredStopAtLevel=1", ...args, ...given], {
      timeout: 60_000,
    });
    while (double.service.calls("SubscribeToShard") === 0) await new Promise((go) => setImmediate(go));
    stream.split(shard?.id ?? "", 1n << 127n, clock.now());
    const { stdout } = await reading;
    const at = clock.now();
    expect(stdout.trim().split("\n")).toEqual([
      `poll und ${at}`,
      `poll from Java ${at}`,
      `event und ${at}`,
      `event from Java ${at}`,
      "end 2",
    ]);
  });
});
