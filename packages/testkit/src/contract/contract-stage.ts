import { setTimeout as delay } from "node:timers/promises";
import { ConfigValidator, type JsonSchema, validConfig } from "@pulsar-ts-io/config";
import type {
  Clock,
  ConnectorError,
  Guarantee,
  Source,
  SourceConstructor,
  SourceContext,
} from "@pulsar-ts-io/core";
import { MemoryTransport, type StoredMessage } from "@pulsar-ts-io/pulsar";
import { MemoryStateStore } from "../memory-state-store.ts";
import { RecordingLogger } from "../recording-logger.ts";
import { TestClock } from "../test-clock.ts";
import { testContext } from "../test-context.ts";
import { type ConnectorFiles, readConnectorFiles } from "./connector-files.ts";
import type { ContractSettings, ProducedRecord, WrittenConfig } from "./contract-options.ts";
import { numberedRecords } from "./numbered-records.ts";

/** Time skips at most that much at once: who wakes may have set up something before. */
const stepMs = 100;
const pollMs = 2;

/** Which instance a source is, and of how many. */
export type InstanceNumbers = Pick<SourceContext, "instanceId" | "numInstances">;

export const onlyInstance: InstanceNumbers = { instanceId: 0, numInstances: 1 };

/** Everything that one sentence is tried with: a config of its own, a Pulsar in memory, a state that survives restarts. */
export class ContractStage<C> {
  readonly settings: ContractSettings;
  readonly files: ConnectorFiles;
  readonly clock: Clock;
  readonly transport: MemoryTransport;
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #Source: SourceConstructor<C>;
  readonly #name: string;
  #written: WrittenConfig;
  #brought = 0;
  readonly #state = new MemoryStateStore();
  /** What the next source is told that the host promises. */
  guarantee: Guarantee = "ATLEAST_ONCE";
  /** Asked before each message is stored. */
  failSend: (value: Uint8Array) => ConnectorError | undefined = () => undefined;

  private constructor(
    Source: SourceConstructor<C>,
    settings: ContractSettings,
    { name, files, written }: { name: string; files: ConnectorFiles; written: WrittenConfig },
  ) {
    this.#Source = Source;
    this.#name = name;
    this.settings = settings;
    this.files = files;
    this.#written = written;
    this.clock = settings.clock();
    this.transport = new MemoryTransport({ failWith: ({ value }) => this.failSend(value) });
  }

  static async open<C>(
    Source: SourceConstructor<C>,
    settings: ContractSettings,
    name = "contract",
  ): Promise<ContractStage<C>> {
    const files = await readConnectorFiles(settings.directory);
    const { config } = settings;
    const written = typeof config === "function" ? await config() : config;
    return new ContractStage(Source, settings, { name, files, written });
  }

  /** What the source is started with: as a user writes it. */
  get written(): WrittenConfig {
    return this.#written;
  }

  get sourceName(): string {
    return this.#Source.name;
  }

  get schema(): JsonSchema {
    return this.files.schema;
  }

  /** The config as a host gives it to the source. */
  config(): C {
    return validConfig(new ConfigValidator<C>(this.schema, { environment: {} }).validate(this.written));
  }

  /** Whether somebody can say which records the source shall read. */
  get canBring(): boolean {
    const { capabilities, makes } = this.settings;
    return capabilities.producible || makes !== undefined;
  }

  newSource(): Source<C> {
    return new this.#Source();
  }

  context(
    signal: AbortSignal,
    fatal: (error: Error) => void = () => undefined,
    numbers: InstanceNumbers = onlyInstance,
  ): SourceContext {
    const { clock, logger, guarantee } = this;
    const names = { sourceName: this.#name, outputTopic: "contract" };
    return testContext({ ...names, ...numbers, signal, clock, logger, guarantee, state: this.#state, fatal });
  }

  /** A stage for another source of the same connector: with a name, a config and a state of its own. */
  async another(): Promise<ContractStage<C>> {
    return await ContractStage.open(this.#Source, this.settings, `${this.#name}-another`);
  }

  /** Whether each stage reads from a place of its own. */
  get hasOwnPlace(): boolean {
    return typeof this.settings.config === "function";
  }

  produce(records: readonly ProducedRecord[]): Promise<void> {
    return this.settings.produce(records, this.written);
  }

  /**
   * Brings `count` more records that tell each other apart to where the source reads, or has it make them from its next start on.
   *
   * @returns all that were brought so far.
   */
  async bring(count: number): Promise<readonly ProducedRecord[]> {
    const before = this.#brought;
    this.#brought += count;
    const made = this.settings.makes?.(this.#brought);
    if (made === undefined) {
      const records = numberedRecords(this.#brought);
      await this.produce(records.slice(before));
      return records;
    }
    this.#written = { ...this.#written, ...made.config };
    return made.records;
  }

  /** What Pulsar has, in the order in which it was published. */
  stored(): readonly StoredMessage[] {
    return this.transport.messages();
  }

  /**
   * Lets time pass until `condition` holds.
   *
   * @returns whether it did, within the patience of the settings.
   */
  async until(condition: () => boolean): Promise<boolean> {
    const giveUpAt = performance.now() + this.settings.patienceMs;
    while (!condition()) {
      if (performance.now() > giveUpAt) return false;
      await this.pass();
    }
    return true;
  }

  /** Lets a little time pass: of the test's clock, or really. */
  async pass(): Promise<void> {
    if (this.clock instanceof TestClock)
      await this.clock.advance(Math.min(this.clock.nextWakeMs ?? 0, stepMs));
    else await delay(pollMs);
  }

  /** `promise`, unless it takes longer than the patience of the settings. */
  async within<T>(promise: Promise<T>): Promise<{ readonly value: T } | undefined> {
    let outcome: { readonly value: T } | undefined;
    let failure: { readonly error: unknown } | undefined;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error) => {
        failure = { error };
      },
    );
    await this.until(() => outcome !== undefined || failure !== undefined);
    if (failure !== undefined) throw failure.error;
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.transport.release();
    await this.transport.close();
    await this.settings.dispose(this.written);
  }
}
