import { Cli } from "../../harness/cli.ts";
import { eventually } from "../../harness/eventually.ts";
import { sourceConfig } from "../../harness/pipeline.ts";
import { familyCpuSeconds, peakResidentBytes } from "../../harness/process-usage.ts";
import { uniqueName } from "../../stack.ts";
import { requireExactlyOnce } from "../arrivals.ts";
import type { BenchStream } from "../bench-stream.ts";
import type { BenchBroker } from "../broker.ts";
import type { DoubleProcess } from "../double-process.ts";
import { underLoad } from "../load.ts";
import { RunSampler } from "../run-sampler.ts";
import type { JavaConnector } from "./java-connector.ts";
import type { JavaBenchOptions } from "./java-options.ts";
import type { ConnectorFigures, JavaRound, MeasuredConnector } from "./java-report.ts";

/** What both talk to, each in a process of its own. */
export interface ComparedStage {
  readonly kinesis: DoubleProcess;
  readonly dynamoEndpoint: string;
  readonly broker: BenchBroker;
  readonly stream: BenchStream;
  readonly connector: JavaConnector;
}

/** A connector in a process of its own. Disposing ends it. */
interface Run extends AsyncDisposable {
  readonly pid: number;
  readonly running: boolean;
  readonly output: string;
}

interface Start {
  /** Of the source, and of its lease table. */
  readonly name: string;
  readonly topic: string;
  /** The connector's own configuration: the same for both. */
  readonly configs: Readonly<Record<string, unknown>>;
}

/** Java waits a minute and two rounds of leases before it reads a new table's shards. */
const startMs = 300_000;
/** A round ends in failure when it is slower than 500 records a second. */
const longestRecordMs = 2;

/** Both, one after the other; reports each. @throws Error when one fails, or a record did not arrive exactly once: such a round counts for nothing. */
export async function runComparedRound(
  stage: ComparedStage,
  options: JavaBenchOptions,
  report: (line: string) => void,
): Promise<JavaRound> {
  const { broker, connector } = stage;
  const ours = await measure(stage, options, ({ name, topic, configs }) => {
    const destination = ["--broker-service-url", broker.serviceUrl, "--destination-topic-name", topic];
    const source = ["--source-type", "kinesis", "--name", name, "--source-config", JSON.stringify(configs)];
    return new Cli(["run", ...source, ...destination], { discardStdout: true });
  });
  report(`ours: ${sentence(ours.figures)}; now Java's, which takes two minutes to start …`);
  const java = await measure(stage, options, ({ name, topic, configs }) => {
    const source = {
      tenant: "public",
      namespace: "default",
      name,
      topicName: topic,
      parallelism: 1,
      configs,
    };
    return connector.start({ ...source, processingGuarantees: "ATLEAST_ONCE" }, broker.serviceUrl);
  });
  report(`Java's: ${sentence(java.figures)}`);
  return { ours, java };
}

function sentence(figures: ConnectorFigures): string {
  const { cpuMicrosPerRecord, laterCpuMicrosPerRecord, peakResidentMegabytes } = figures;
  const micros = `${cpuMicrosPerRecord.toFixed(1)} µs CPU a record, ${laterCpuMicrosPerRecord.toFixed(1)} in the second half`;
  return `${micros}, ${peakResidentMegabytes.toFixed(0)} MB at most`;
}

async function measure(
  stage: ComparedStage,
  options: JavaBenchOptions,
  start: (what: Start) => Run,
): Promise<MeasuredConnector> {
  const { load, result } = await underLoad(() => measureRun(stage, options, start));
  return { ...result, load };
}

async function measureRun(
  stage: ComparedStage,
  options: JavaBenchOptions,
  start: (what: Start) => Run,
): Promise<Omit<MeasuredConnector, "load">> {
  const { kinesis, broker, stream } = stage;
  const name = uniqueName("java");
  const topic = `persistent://public/default/${name}`;
  await broker.admin.createTopic(topic);
  // A subscription keeps the broker from deleting messages that nobody has read yet.
  await broker.admin.request("PUT", `persistent/public/default/${name}/subscription/keep`);
  const reading = options.fanOut ? "SubscribeToShard" : "GetRecords";
  const callsBefore = await kinesis.calls(reading);
  const storedNow = async () => (await broker.admin.stats(topic)).msgInCounter;

  const startedAt = performance.now();
  await using run = start({ name, topic, configs: configsOf(stage, options, name) });
  const sampler = new RunSampler(run.pid, stream.records);
  const stored = async () => {
    const count = await storedNow();
    await sampler.sample(count);
    return count;
  };
  const until = async (what: string, timeoutMs: number, look: () => Promise<boolean>) => {
    const check = () => {
      if (run.running) return look();
      throw new Error(`the connector ended before ${what}:\n${run.output}`);
    };
    await eventually(what, check, { timeoutMs, everyMs: 20 });
  };
  await until(`the first ${reading} call`, startMs, async () => (await kinesis.calls(reading)) > callsBefore);
  const before = await familyCpuSeconds(run.pid);
  await until("the first record", startMs, async () => (await stored()) > 0);
  const startSeconds = (performance.now() - startedAt) / 1_000;
  const startCpuSeconds = await familyCpuSeconds(run.pid);
  const timeoutMs = startMs + stream.records * longestRecordMs;
  await until("the middle record", timeoutMs, async () => (await stored()) >= stream.records / 2);
  const half = await stored();
  const middle = await familyCpuSeconds(run.pid);
  await until("the last record", timeoutMs, async () => (await stored()) >= stream.records);
  const end = await familyCpuSeconds(run.pid);
  const peak = await peakResidentBytes(run.pid);
  await run[Symbol.asyncDispose]();
  await requireExactlyOnce(broker.serviceUrl, topic, stream);
  await broker.admin.deleteTopic(topic);
  const figures: ConnectorFigures = {
    cpuMicrosPerRecord: ((end - before) * 1e6) / stream.records,
    laterCpuMicrosPerRecord: ((end - middle) * 1e6) / (stream.records - half),
    peakResidentMegabytes: peak / 1e6,
    startCpuSeconds,
    startSeconds,
  };
  return { figures, series: sampler.series };
}

/** Metrics are both connectors' default, and go to the programmable Kinesis, too. */
function configsOf(
  { kinesis, dynamoEndpoint, stream }: ComparedStage,
  { receiveQueueSize, fanOut }: JavaBenchOptions,
  name: string,
): Readonly<Record<string, unknown>> {
  return sourceConfig({
    kinesisEndpoint: kinesis.endpoint,
    cloudwatchEndpoint: kinesis.endpoint,
    dynamoEndpoint,
    streamName: stream.name,
    applicationName: name,
    config: {
      receiveQueueSize,
      useEnhancedFanOut: fanOut,
      kinesisRecordProperties: undefined,
      // Java's connector does without it in no case.
      awsCredentialPluginParam: "",
    },
  });
}
