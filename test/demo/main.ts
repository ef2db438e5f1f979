import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { startDynalite, startKinesisLocal } from "@pulsar-ts-io/testkit";
import { Cli } from "../harness/cli.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { type Destination, openDestination } from "./destination.ts";
import { commandLine, runScript, say } from "./script.ts";
import { showOutput, showTopic } from "./show-records.ts";

const usage = `npm run demo [-- --console]

Puts the documents' ten records into a local Kinesis stream, runs pulsar-ts-io on it, and shows what arrives.

  --console   print the records instead of publishing them to Pulsar

PULSAR_SERVICE_URL names a broker to publish to. Without it a broker is fetched once and started, where Java 17 and
Maven (or Docker) are found.
`;

const recordCount = 10;

const { values } = parseArgs({
  options: { console: { type: "boolean", default: false }, help: { type: "boolean" } },
});
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true"; // a notice for those who choose the SDK's release

if (values.help === true) process.stdout.write(usage);
else await runScript((signal) => demo(values.console, signal));

async function demo(toConsole: boolean, signal: AbortSignal): Promise<void> {
  const destination = await openDestination({ toConsole, env: process.env, say, signal });
  try {
    say("starting a local Kinesis and a local DynamoDB (both from npm) …");
    await using kinesis = await startKinesisLocal({ signal });
    await using dynamo = await startDynalite({ signal });
    await using stream = await KinesisStream.create(kinesis.endpoint, "my-stream", 1);
    const record = { key: "myPartitionKey", data: Buffer.from("test-kinesis-data") };
    await stream.put(Array.from({ length: recordCount }, () => record));
    say(`put ${recordCount} records of test-kinesis-data with myPartitionKey into stream my-stream`);
    await travel(destination, sourceConfig(kinesis.endpoint, dynamo.endpoint), signal);
  } finally {
    if (destination.kind === "pulsar") await destination.close();
  }
  if (destination.kind === "console") say(`the records went to the console: ${destination.why}`);
  say("done");
}

/** The quick start's configuration, with the endpoints of this machine. */
function sourceConfig(kinesisEndpoint: string, dynamoEndpoint: string): Record<string, unknown> {
  return {
    awsRegion: "us-east-1",
    awsEndpoint: kinesisEndpoint,
    dynamoEndpoint,
    awsKinesisStreamName: "my-stream",
    awsCredentialPluginName: "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin",
    applicationName: "my-application",
    initialPositionInStream: "TRIM_HORIZON",
    useEnhancedFanOut: false,
  };
}

/** Runs the real CLI until every record was seen where it went, then stops it with SIGTERM. */
async function travel(
  destination: Destination,
  config: Record<string, unknown>,
  signal: AbortSignal,
): Promise<void> {
  const topic = `kinesis-demo-${randomBytes(4).toString("hex")}`;
  const to =
    destination.kind === "pulsar"
      ? ["--broker-service-url", destination.serviceUrl, "--destination-topic-name", topic]
      : ["--output", "console"];
  const args = ["run", "--source-type", "kinesis", ...to, "--source-config", JSON.stringify(config)];
  say(commandLine(args));
  await using cli = new Cli([...args, "--log-format", "pretty"], { onStderr: (line) => say(`  ${line}`) });
  if (destination.kind === "console") await showOutput(cli, recordCount);
  else await showTopic({ serviceUrl: destination.serviceUrl, topic }, { cli, count: recordCount, signal });
  const { code } = await cli.stop();
  if (code !== 0) throw new Error(`pulsar-ts-io ended with ${code}`);
  say("stopped with SIGTERM: drained, checkpointed, lease released, exit code 0");
}
