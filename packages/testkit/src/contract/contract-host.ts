import { setImmediate as nextTurn } from "node:timers/promises";
import { type Source, type SourceRecord, toError } from "@pulsar-ts-io/core";
import { type Delivery, defaultPublisherOptions, type Publisher } from "@pulsar-ts-io/pulsar";
import { type ContractStage, type InstanceNumbers, onlyInstance } from "./contract-stage.ts";

const windowLength = 64;

/** Runs one source as the runtime does: a record is acknowledged when Pulsar has it, and reading waits while Pulsar does not answer. */
export class ContractHost<C> {
  readonly #stage: ContractStage<C>;
  readonly #numbers: InstanceNumbers;
  readonly #stop = new AbortController();
  readonly source: Source<C>;
  /** What was read, in order. */
  readonly read: SourceRecord[] = [];
  acknowledged = 0;
  failure: Error | undefined;
  #settling = true;
  #publisher: Publisher | undefined;
  #pumping: Promise<void> = Promise.resolve();

  private constructor(stage: ContractStage<C>, numbers: InstanceNumbers) {
    this.#stage = stage;
    this.#numbers = numbers;
    this.source = stage.newSource();
  }

  /** @throws what `open` throws; an error when it takes too long. */
  static async start<C>(
    stage: ContractStage<C>,
    numbers: InstanceNumbers = onlyInstance,
  ): Promise<ContractHost<C>> {
    const host = new ContractHost(stage, numbers);
    await host.#open();
    host.#pumping = host.#pump();
    return host;
  }

  /** Stops reading, lets what was read be published and acknowledged, and closes. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the contract suite stops reading"));
    if (this.#publisher !== undefined) {
      await this.#stage.within(this.#publisher.flush(new AbortController().signal));
    }
    await this.#close();
  }

  /** Ends without another acknowledgement: what is not confirmed by now was never published. */
  async kill(): Promise<void> {
    this.#settling = false;
    this.#stop.abort(new Error("the contract suite kills the source"));
    await this.#publisher?.close();
    await this.#close();
  }

  async #open(): Promise<void> {
    const { signal } = this.#stop;
    const context = this.#stage.context(signal, (error) => this.#fail(error), this.#numbers);
    const opened = await this.#stage.within(this.source.open(this.#stage.config(), context));
    if (opened === undefined) throw new Error("open did not end");
    const options = { ...defaultPublisherOptions, maxPendingMessages: windowLength };
    this.#publisher = await this.#stage.transport.open("contract", options, signal);
  }

  async #pump(): Promise<void> {
    const { signal } = this.#stop;
    const publisher = this.#publisher;
    try {
      while (publisher !== undefined && !signal.aborted) {
        await publisher.room(signal);
        const record = await this.source.read();
        this.read.push(record);
        if (!signal.aborted) publisher.send(record, this.#delivery(record));
        if (this.read.length % windowLength === 0) await nextTurn();
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(toError(error));
    }
  }

  #delivery(record: SourceRecord): Delivery {
    return {
      stored: () => {
        if (!this.#settling) return;
        this.acknowledged += 1;
        record.ack();
      },
      failed: (error) => {
        if (!this.#settling) return;
        if (record.fail === undefined) this.#fail(error);
        else record.fail(error);
      },
    };
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.#settling = false; // as if it had crashed: what is confirmed from now on, nobody learns
    this.#stop.abort(error);
  }

  /** A source that does not notice that it shall stop is closed all the same; what it says then is no matter here. */
  async #close(): Promise<void> {
    void this.#pumping;
    const closed = await this.#stage.within(this.source.close());
    await this.#publisher?.close();
    if (closed === undefined) throw new Error("close did not end");
  }
}
