import { randomBytes } from "node:crypto";
import { startLocalStack, startPulsar } from "@pulsar-ts-io/testkit";
import { commandLine, runScript, say } from "../demo/script.ts";
import { showTopic } from "../demo/show-records.ts";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";

const recordCount = 10;
const credentialsVariable = "MY_CREDENTIALS";
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

await runScript(quickStart);

/**
 * The documents' quick start, step by step: create the connector with the minimal configuration, send ten records to Kinesis, show
 * them from the topic. The connector starts at LATEST, the default: what is sent once it reads must arrive.
 */
async function quickStart(signal: AbortSignal): Promise<void> {
  const options = { report: say, signal };
  await using broker = await startPulsar(options);
  await using aws = await startLocalStack(options);
  await using stream = await KinesisStream.create(aws.endpoint, "my-stream", 1);
  const topic = `quick-start-${randomBytes(4).toString("hex")}`;
  const config = {
    awsRegion: "us-east-1",
    awsKinesisStreamName: "my-stream",
    awsCredentialPluginParam: `\${env:${credentialsVariable}}`,
    applicationName: "pulsar-io-kinesis",
    useEnhancedFanOut: false,
  };
  const to = ["--broker-service-url", broker.serviceUrl, "--destination-topic-name", topic];
  const args = ["run", "--source-type", "kinesis", ...to, "--source-config", JSON.stringify(config)];
  const env = {
    AWS_ENDPOINT_URL: aws.endpoint,
    [credentialsVariable]: '{"accessKey":"test","secretKey":"test"}',
  };

  say(commandLine(args));
  await using cli = new Cli([...args, "--log-format", "pretty"], {
    env,
    onStderr: (line) => say(`  ${line}`),
  });
  await eventually("the connector to read", () => {
    if (!cli.running) throw new Error("pulsar-ts-io ended early");
    return cli.stderr.some((line) => line.includes("lease taken"));
  });
  const record = { key: "myPartitionKey", data: Buffer.from("test-kinesis-data") };
  await stream.put(Array.from({ length: recordCount }, () => record));
  say(`put ${recordCount} records of test-kinesis-data with myPartitionKey into stream my-stream`);
  await showTopic({ serviceUrl: broker.serviceUrl, topic }, { cli, count: recordCount, signal });
  const { code } = await cli.stop();
  if (code !== 0) throw new Error(`pulsar-ts-io ended with ${code}`);
  say("stopped with SIGTERM, exit code 0");
}
