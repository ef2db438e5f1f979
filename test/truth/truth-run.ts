import { GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { type Source, type SourceContext, type StateStore, TroubleLog } from "@pulsar-ts-io/core";
import {
  KinesisModel,
  KinesisService,
  MemoryStateStore,
  type RecordingLogger,
  TestClock,
} from "@pulsar-ts-io/testkit";
import { DataGeneratorSource } from "../../connectors/data-generator/src/index.ts";
import { options as generatorOptions } from "../../connectors/data-generator/test/generator-host.ts";
import type { ConnectConsumer } from "../../connectors/kinesis/src/connect-consumer.ts";
import { KinesisSource } from "../../connectors/kinesis/src/index.ts";
import { options as kinesisOptions } from "../../connectors/kinesis/test/kinesis-config.ts";
import { AwsService } from "../../packages/kinesis-consumer/src/aws-service.ts";
import { AwsFanOut } from "../../packages/kinesis-consumer/src/fetch/aws-fan-out.ts";
import type { AwsCredentialIdentity } from "../../packages/kinesis-consumer/src/index.ts";
import { AwsKinesisStream } from "../../packages/kinesis-consumer/src/shard/aws-kinesis-stream.ts";
import { StreamConsumer } from "../../packages/kinesis-consumer/src/stream-consumer.ts";
import { usualOptions } from "../../packages/kinesis-consumer/test/support/consumer-options.ts";
import { MemoryKcl3State } from "../../packages/kinesis-consumer/test/support/memory-kcl3-state.ts";
import { MemoryLeaseTable } from "../../packages/kinesis-consumer/test/support/memory-lease-table.ts";
import { ProcessHandler } from "../../packages/kinesis-consumer/test/support/process-handler.ts";
import { serviceOf } from "../../packages/kinesis-consumer/test/support/service-of.ts";
import { WorkerClock } from "../../packages/kinesis-consumer/test/support/worker-clock.ts";
import {
  createWireTransport,
  type Dial,
  defaultPublisherOptions,
  PulsarUnreachableError,
} from "../../packages/pulsar/src/index.ts";
import type { FakeBroker } from "../../packages/pulsar/test/harness/fake-broker.ts";
import { FakeNetwork } from "../../packages/pulsar/test/harness/fake-network.ts";
import { measure } from "../../runtime/src/cli/measure.ts";
import { HttpServer } from "../../runtime/src/observe/http/http-server.ts";
import { sourcePages } from "../../runtime/src/observe/http/pages.ts";
import { SourceMonitor } from "../../runtime/src/observe/source-monitor.ts";
import type { SourceStatus } from "../../runtime/src/observe/source-status.ts";
import { ChildAttempt } from "../../runtime/src/supervise/child-attempt.ts";
import { InstanceSupervisor } from "../../runtime/src/supervise/instance-supervisor.ts";
import { OwnAttempt } from "../../runtime/src/supervise/own-attempt.ts";
import { JoinedChild } from "../../runtime/test/support/joined-child.ts";
import { makeInstance, topic } from "../../runtime/test/support/start-instance.ts";

const identity = { tenant: "public", namespace: "default", name: "orders" };
/** Turns of the loop that a call of the AWS client takes, generously. */
const callTurns = 6;
const shortStepMs = 500;
const usual = { retrieval: "polling", startTimeoutMs: 0, bounded: false } as const;

export interface TruthRunOptions {
  readonly connector?: "kinesis" | "data-generator";
  readonly instances?: number;
  readonly shards?: number;
  readonly partitions?: number;
  readonly retrieval?: "polling" | "fan-out";
  /** How long a first start is tried again; default not at all. */
  readonly startTimeoutMs?: number;
  /** Whether the bounds of calls to Kinesis count the time of the run; default real time. */
  readonly bounded?: boolean;
}

type Handle = ProcessHandler["handle"];

/** The network between the source and Kinesis. */
class InterceptedHandler extends ProcessHandler {
  readonly #run: TruthRun;

  constructor(run: TruthRun, clock: WorkerClock) {
    super(run.kinesis, clock);
    this.#run = run;
  }

  override handle(...call: Parameters<Handle>): ReturnType<Handle> {
    const operation = call[0].headers["x-amz-target"]?.split(".")[1] ?? "";
    const signal = call[1]?.abortSignal;
    return this.#run.onCall(
      operation,
      () => super.handle(...call),
      signal instanceof AbortSignal ? signal : undefined,
    );
  }
}

/** What the pages answered at one moment. */
export interface Answers {
  readonly health: number;
  readonly ready: number;
  readonly readyReason: string;
  readonly status: SourceStatus;
  readonly metrics: string;
}

/**
 * A source as `run` puts it together, from its own parts: instances under supervision, the monitor and its pages, the Kinesis or
 * data-generator connector, the wire transport. Only AWS, the broker, the processes and time are in memory.
 */
export class TruthRun implements AsyncDisposable {
  readonly clock: TestClock = new TestClock();
  readonly logger: RecordingLogger;
  readonly kinesis: KinesisService;
  readonly table: MemoryLeaseTable = new MemoryLeaseTable();
  readonly broker: FakeBroker;
  /** Whether brokers accept connections. */
  brokerAway = false;
  readonly disk: { full: boolean } = { full: false };
  /** How a call to Kinesis is sent. */
  onCall: (
    operation: string,
    send: () => ReturnType<Handle>,
    signal: AbortSignal | undefined,
  ) => ReturnType<Handle> = (_operation, send) => send();
  /** How a connection to the broker is opened. */
  onDial: (dial: () => ReturnType<Dial>) => ReturnType<Dial> = (dial) => dial();
  /** How the credentials for calls to Kinesis are had. */
  onCredentials: () => Promise<AwsCredentialIdentity> = () =>
    Promise.resolve({ accessKeyId: "test", secretAccessKey: "test" });
  /** Whether a record arrives with each step. */
  feeding = true;
  /** What was put into the stream so far. */
  readonly texts: string[] = [];
  /** The processes of the instances, where there are several. */
  readonly children: JoinedChild[] = [];
  readonly #network = new FakeNetwork();
  readonly #model: KinesisModel;
  readonly #options: Required<TruthRunOptions>;
  readonly #stop = new AbortController();
  readonly #supervisors: readonly InstanceSupervisor[];
  readonly #monitor: SourceMonitor;
  readonly #pages: ReturnType<typeof sourcePages>;
  readonly #running: Promise<unknown>[] = [];
  #server: HttpServer | undefined;
  #put = 0;

  constructor(options: TruthRunOptions, logger: RecordingLogger) {
    this.#options = { connector: "kinesis", instances: 1, shards: 2, partitions: 0, ...usual, ...options };
    const { clock } = this;
    this.logger = logger;
    this.#model = new KinesisModel({ clock });
    this.#model.createStream("orders", this.#options.shards);
    this.kinesis = new KinesisService(this.#model);
    this.table.exists = false;
    this.broker = this.#network.broker("broker");
    this.broker.partitions = this.#options.partitions;
    this.#supervisors = Array.from({ length: this.#options.instances }, (_, id) => this.#supervise(id));
    const reports = () => Promise.all(this.#supervisors.map((supervisor) => supervisor.report()));
    this.#monitor = new SourceMonitor({ reports }, { ...identity, cluster: "local" }, { clock, logger });
    const source = {
      ...identity,
      connector: this.#options.connector,
      version: "0.1.0",
      topic,
      processingGuarantees: "ATLEAST_ONCE",
      startTime: clock.now(),
      configs: {},
    };
    this.#pages = sourcePages(this.#monitor, { source, workerId: "worker" });
  }

  start(): void {
    const { signal } = this.#stop;
    const proven = () => this.#supervisors.some(({ opened }) => opened);
    for (const supervisor of this.#supervisors)
      this.#running.push(supervisor.run(signal, proven).catch(() => undefined));
    this.#running.push(this.#monitor.run(signal));
  }

  /** Lets `ms` milliseconds pass; a record arrives with each step. */
  async pass(ms: number, stepMs = shortStepMs): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      if (this.feeding) this.#putOne();
      for (let turn = 0; turn < callTurns; turn += 1) await this.clock.settle();
      await this.clock.advance(Math.min(stepMs, left));
    }
  }

  async look(): Promise<Answers> {
    const [health, ready, status, metrics] = [
      await this.#get("/health"),
      await this.#get("/ready"),
      await this.#get("/status"),
      await this.#get("/metrics"),
    ];
    const { reason } = JSON.parse(ready.body);
    return {
      health: health.status,
      ready: ready.status,
      readyReason: String(reason),
      status: JSON.parse(status.body),
      metrics: metrics.body,
    };
  }

  /** Where a browser finds the status page. */
  async url(): Promise<string> {
    this.#server ??= await HttpServer.listen({ port: 0, host: "127.0.0.1", names: [] }, this.logger);
    this.#server.show(this.#pages);
    return this.#server.url;
  }

  /** Cuts every connection to the broker. */
  cut(): void {
    for (const { socket } of this.broker.connections) socket.destroy();
  }

  /** Splits the first shard in its middle. */
  split(): void {
    const stream = this.#model.stream("orders");
    const [first] = stream.shards(this.clock.now());
    if (first !== undefined) stream.split(first.id, 2n ** 126n, this.clock.now());
  }

  /** The broker closes every producer, as it does when a bundle moves or a topic goes. */
  closeProducers(): void {
    for (const connection of this.broker.connections)
      for (const { producerId } of connection.of("producer"))
        connection.tell("closeProducer", { producerId, requestId: 0 });
  }

  /** Stops it as SIGTERM does. @returns how long that took, milliseconds. */
  async stop(): Promise<number> {
    this.#stop.abort(new Error("the test has ended"));
    let ended = false;
    const all = Promise.all(this.#running).finally(() => {
      ended = true;
    });
    const began = this.clock.monotonic();
    for (let ms = 0; !ended && ms < 300_000; ms += shortStepMs) await this.pass(shortStepMs);
    await all;
    return this.clock.monotonic() - began;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const page = this.#pages.get(path);
    if (page === undefined) throw new Error(`there is no page ${path}`);
    const { status = 200, body } = await page();
    return { status, body: String(body) };
  }

  #putOne(): void {
    this.#put += 1;
    this.texts.push(String(this.#put));
    const data = Buffer.from(String(this.#put));
    const entry = { data: data.toString("base64"), dataBytes: data.length, partitionKey: `key-${this.#put}` };
    const hashKey = (BigInt(this.#put) * 0x9e3779b97f4a7c15f39cc0605cedc834n) % 2n ** 128n;
    this.#model.stream("orders").put(entry, this.clock.now(), hashKey);
  }

  #supervise(instanceId: number): InstanceSupervisor {
    const { clock, logger } = this;
    const { instances } = this.#options;
    const measured = measure(true, clock, undefined);
    const open = () => Promise.resolve(this.#attempt(instanceId, measured));
    const start = () => {
      if (instances === 1) return open();
      const launch = (listener: ConstructorParameters<typeof JoinedChild>[0]) => {
        const child = new JoinedChild(listener, open, clock);
        this.children[instanceId] = child;
        return child;
      };
      return Promise.resolve(new ChildAttempt({ launch, job: {}, drainTimeoutMs: 25_000, clock, logger }));
    };
    return new InstanceSupervisor(start, {
      instanceId,
      maxRestarts: undefined,
      startTimeoutMs: this.#options.startTimeoutMs,
      clock,
      logger,
      random: () => 0.5,
      mask: (text) => text,
    });
  }

  #attempt(instanceId: number, { meter, metrics }: ReturnType<typeof measure>): OwnAttempt<unknown> {
    const { clock, logger } = this;
    const { connector, instances } = this.#options;
    const troubles = new TroubleLog({ clock, logger });
    const tls = { allowInsecure: false, hostnameVerification: true };
    const transport = createWireTransport(
      { serviceUrl: this.broker.url, tls },
      {
        clock,
        logger,
        meter,
        troubles,
        dial: (...args) =>
          this.brokerAway
            ? Promise.reject(new PulsarUnreachableError(`nothing listens at ${this.broker.url}`))
            : this.onDial(() => this.#network.dial(...args)),
      },
    );
    const [source, config] = this.#source(connector);
    const instance = makeInstance(source, transport, {
      ...identity,
      instanceId,
      numInstances: instances,
      clock,
      logger,
      meter,
      troubles,
      state: onDisk(this.disk),
      publisher: { ...defaultPublisherOptions, compression: "NONE" },
    });
    const limits = { stallTimeoutMs: 300_000, maxMemoryBytes: undefined };
    return new OwnAttempt(instance, config, { limits, clock, logger, residentBytes: () => 0, metrics });
  }

  #source(connector: "kinesis" | "data-generator"): readonly [Source<unknown>, unknown] {
    return connector === "kinesis"
      ? // The config is the source's own, and its type is lost on the way as it is in the runtime.
        [
          new KinesisSource(this.#connect) as Source<unknown>,
          kinesisOptions({ awsKinesisStreamName: "orders" }),
        ]
      : [new DataGeneratorSource() as Source<unknown>, generatorOptions({ recordsPerSecond: 2 })];
  }

  readonly #connect: ConnectConsumer = (_config, context: SourceContext) => {
    const clock = new WorkerClock(context.clock);
    const client = new KinesisClient({
      region: "us-east-1",
      credentials: () => this.onCredentials(),
      maxAttempts: 1,
      requestHandler: new InterceptedHandler(this, clock),
    });
    const kinesis = this.#options.bounded
      ? new AwsService(client, {
          clock,
          callWithinMs: 8_000,
          customEndpoint: false,
          often: [GetRecordsCommand],
        })
      : serviceOf(client);
    const { logger, meter, troubles } = context;
    const host = {
      clock,
      logger,
      meter,
      troubles,
      releasePartition: (id: string) => context.releasePartition(id),
    };
    const consumer = new StreamConsumer(
      {
        stream: new AwsKinesisStream(kinesis, "orders", clock),
        fanOut: new AwsFanOut(kinesis, "orders"),
        table: this.table,
        kcl3: new MemoryKcl3State(),
        sink: undefined,
      },
      host,
      {
        ...usualOptions,
        ...(this.#options.retrieval === "fan-out"
          ? { retrieval: { kind: "fan-out", consumerName: "orders-app" } }
          : {}),
        instanceId: String(context.instanceId),
        checkpointIntervalMs: 5_000,
      },
    );
    return { consumer, disconnect: () => client.destroy() };
  };
}

/** State that is lost with the run, on a disk that may be full. */
function onDisk(disk: { readonly full: boolean }): StateStore {
  const store = new MemoryStateStore();
  const put = store.put.bind(store);
  store.put = (key, value) =>
    disk.full
      ? Promise.reject(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }))
      : put(key, value);
  return store;
}
