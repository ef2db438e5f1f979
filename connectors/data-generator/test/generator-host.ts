import { readFileSync } from "node:fs";
import { ConfigValidator, type JsonSchema, validConfig } from "@pulsar-ts-io/config";
import {
  type SourceContext,
  type SourceRecord,
  type StateStore,
  silentMeter,
  TroubleLog,
} from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { DataGeneratorSource, type DataGeneratorSourceOptions } from "../src/index.ts";

/** A file of this package, as text. */
export function fileText(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
}

const schema: JsonSchema = JSON.parse(fileText("schemas/data-generator-source.schema.json"));

const validator = new ConfigValidator<DataGeneratorSourceOptions>(schema);

/** A config as the runtime hands it over: validated, with its defaults. */
export function options(config: Record<string, unknown> = {}): DataGeneratorSourceOptions {
  return validConfig(validator.validate(config));
}

/** Keeps what is put, and fails while it is told to. */
export class MemoryState implements StateStore {
  readonly entries = new Map<string, string>();
  failing = false;
  writes = 0;

  get(key: string): Promise<Uint8Array | undefined> {
    const text = this.entries.get(key);
    return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
  }

  put(key: string, value: Uint8Array): Promise<void> {
    if (this.failing) return Promise.reject(new Error("the disk is full"));
    this.writes += 1;
    this.entries.set(key, Buffer.from(value).toString());
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.entries.delete(key);
    return Promise.resolve();
  }

  incrCounter(key: string, amount: bigint): Promise<void> {
    return this.put(key, Buffer.from(String(BigInt(this.entries.get(key) ?? 0) + amount)));
  }

  getCounter(key: string): Promise<bigint> {
    return Promise.resolve(BigInt(this.entries.get(key) ?? 0));
  }
}

export interface HostOptions {
  readonly instanceId?: number;
  readonly numInstances?: number;
  readonly sourceName?: string;
  readonly state?: StateStore;
}

/** A source and what it sees of its host. */
export class GeneratorHost {
  readonly source: DataGeneratorSource = new DataGeneratorSource();
  readonly clock: TestClock = new TestClock();
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #stop = new AbortController();
  readonly context: SourceContext;

  constructor(options: HostOptions = {}) {
    const { instanceId = 0, numInstances = 1, sourceName = "data-generator", state } = options;
    this.context = {
      signal: this.#stop.signal,
      clock: this.clock,
      logger: this.logger,
      meter: silentMeter,
      troubles: new TroubleLog({ clock: this.clock, logger: this.logger }),
      tenant: "public",
      namespace: "default",
      sourceName,
      instanceId,
      numInstances,
      outputTopic: "t",
      guarantee: "EFFECTIVELY_ONCE",
      secret: () => undefined,
      recordMetric: () => undefined,
      state,
      releasePartition: () => Promise.resolve(),
      fatal: () => undefined,
    };
  }

  static async open(config: Record<string, unknown>, host?: HostOptions): Promise<GeneratorHost> {
    const opened = new GeneratorHost(host);
    await opened.source.open(options({ recordsPerSecond: 0, ...config }), opened.context);
    return opened;
  }

  async read(count: number): Promise<readonly SourceRecord[]> {
    const records: SourceRecord[] = [];
    while (records.length < count) records.push(await this.source.read());
    return records;
  }

  stopReading(): void {
    this.#stop.abort(new Error("stop"));
  }
}

/** A record without its time. */
export function essence({ value, key, partitionId, recordSequence }: SourceRecord): unknown {
  return { value: Buffer.from(value).toString("latin1"), key, partitionId, recordSequence };
}

export function textOf({ value }: SourceRecord): string {
  return Buffer.from(value).toString();
}
