import { expect, it } from "vitest";
import { runCli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { LeaseRows } from "../harness/lease-rows.ts";
import { type RecordingProxy, startRecordingProxy } from "../harness/recording-proxy.ts";
import { describeWithStack } from "../stack.ts";

/** What a short run has no occasion for: the answer to a write that was refused. */
const onlyInTrouble = ["dynamodb:GetItem"];

describeWithStack("the commands about a source", (stack) => {
  type Endpoints = Partial<typeof stack> & { readonly cloudwatchEndpoint?: string };

  function tool(journey: Journey, args: readonly string[], endpoints: Endpoints = {}) {
    const { kinesisEndpoint, dynamoEndpoint, cloudwatchEndpoint } = { ...stack, ...endpoints };
    const config = JSON.stringify({
      awsRegion: "us-east-1",
      awsEndpoint: kinesisEndpoint,
      dynamoEndpoint,
      cloudwatchEndpoint: cloudwatchEndpoint ?? "",
      awsKinesisStreamName: journey.stream.name,
      applicationName: journey.applicationName,
      awsCredentialPluginName: "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin",
      useEnhancedFanOut: false,
    });
    return runCli([...args, "--source-type", "kinesis", "--source-config", config]);
  }

  it("check what is needed, show who reads what, and move what nobody reads, with no call that the policy lacks", async () => {
    await using journey = await Journey.begin(stack, "tools", 2);
    await using kinesis = await startRecordingProxy(stack.kinesisEndpoint);
    await using dynamo = await startRecordingProxy(stack.dynamoEndpoint);
    // It knows no metrics and refuses them all: the source runs as if it did not.
    await using cloudwatch = await startRecordingProxy(stack.dynamoEndpoint);
    const endpoints = {
      kinesisEndpoint: kinesis.endpoint,
      dynamoEndpoint: dynamo.endpoint,
      cloudwatchEndpoint: cloudwatch.endpoint,
    };
    using rows = new LeaseRows(stack.dynamoEndpoint);

    const { cloudwatchEndpoint } = endpoints;
    const check = await tool(journey, ["check", "--json"], { cloudwatchEndpoint });
    expect(check.code, check.stdout + check.stderr).toBe(0);
    expect(await rows.tableExists(journey.applicationName)).toBe(false);
    expect((await tool(journey, ["partitions"])).stdout).toContain("no partitions");

    await using first = journey.run(endpoints);
    await journey.putTexts(50);
    await journey.arrived();
    await journey.stream.split((await journey.stream.openShardIds())[0] ?? "");
    await journey.putTexts(50);
    await journey.arrived();
    const shown = await tool(journey, ["leases", "--json"], endpoints);
    expect(shown.code, shown.stderr).toBe(0);
    expect(
      readRows(shown.stdout, "partitions").map((one) => [one["finished"], one["ownerActive"]]),
    ).toContainEqual([false, true]);
    const refused = await tool(journey, ["partitions", "reset", "--to", "LATEST", "--yes"]);
    expect(refused.code, refused.stderr).toBe(6);
    expect(await first.stop(), first.output).toEqual(cleanExit);

    const before = await rows.of(journey.applicationName);
    const again = await tool(journey, ["check"], { dynamoEndpoint: stack.dynamoEndpoint });
    expect(again.code, again.stdout + again.stderr).toBe(0);
    expect(await rows.of(journey.applicationName)).toEqual(before);

    const reset = await tool(journey, ["partitions", "reset", "--to", "TRIM_HORIZON", "--yes"], endpoints);
    expect(reset.code, reset.stderr).toBe(0);
    for (const row of await rows.of(journey.applicationName)) {
      expect(row["checkpoint"]?.S).toBe("TRIM_HORIZON");
      expect(
        Object.keys(row).filter((name) => /^x_(epoch|ord|anchor|startTs)|^leaseOwner/.test(name)),
      ).toEqual([]);
    }
    const moved = await rows.of(journey.applicationName);
    const peeked = await tool(journey, ["run", "--dry-run", "100"], endpoints);
    expect(peeked.stdout.match(/got message/g), peeked.stderr).toHaveLength(journey.stored.length);
    expect(await rows.of(journey.applicationName)).toEqual(moved);
    await using second = journey.run(endpoints);
    await eventually("everything to be read again", async () =>
      Promise.resolve(journey.follower.messages.length >= 2 * journey.stored.length),
    );
    expect(await second.stop(), second.output).toEqual(cleanExit);

    const granted = readRows(check.stdout, "policies").flatMap(actionsOf);
    const sent = [
      ...actionsSent("kinesis", kinesis),
      ...actionsSent("dynamodb", dynamo),
      ...actionsSent("cloudwatch", cloudwatch),
    ];
    expect([...new Set([...sent, ...onlyInTrouble])].sort()).toEqual([...new Set(granted)].sort());
  });
});

/** The list of that name in a JSON document. */
function readRows(text: string, name: string): readonly Readonly<Record<string, unknown>>[] {
  const document: Record<string, readonly Record<string, unknown>[]> = JSON.parse(text);
  return document[name] ?? [];
}

function actionsOf(policy: Readonly<Record<string, unknown>>): readonly string[] {
  return JSON.stringify(policy).match(/\b(?:kinesis|dynamodb|cloudwatch):[A-Z][A-Za-z]+/g) ?? [];
}

/** A transaction of puts needs the permission for a put. */
function actionsSent(service: string, { targets }: RecordingProxy): readonly string[] {
  return [...targets].map((target) => {
    const operation = target.split(".").at(-1);
    return `${service}:${operation === "TransactWriteItems" ? "PutItem" : operation}`;
  });
}
