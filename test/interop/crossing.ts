import { eventually } from "../harness/eventually.ts";
import { feeding } from "../harness/feeding.ts";
import { KinesisStream, type PutRecord, type StoredRecord } from "../harness/kinesis-stream.ts";
import { type LeaseRow, LeaseRows } from "../harness/lease-rows.ts";
import { type RunningStack, uniqueName } from "../stack.ts";
import { JavaWorker, type JavaWorkerOptions } from "./java-worker.ts";
import { behindCheckpoints } from "./lease-contents.ts";
import { OurWorker, type OurWorkerOptions } from "./our-worker.ts";
import { byShard, type Sighting } from "./sighting.ts";
import { TableWatch } from "./table-watch.ts";

type Given = "streamName" | "applicationName" | "kinesisEndpoint" | "dynamoEndpoint";

/** A stream and a lease table for workers of Java and of ours. Disposing deletes the stream; workers are disposed of before. */
export class Crossing implements AsyncDisposable {
  readonly stream: KinesisStream;
  /** Everything that was put so far. */
  readonly stored: StoredRecord[] = [];
  readonly #rows: LeaseRows;
  readonly #places: Pick<OurWorkerOptions, Given>;
  #count = 0;

  private constructor(stream: KinesisStream, stack: RunningStack) {
    const { kinesisEndpoint, dynamoEndpoint } = stack;
    this.stream = stream;
    this.#rows = new LeaseRows(dynamoEndpoint);
    const applicationName = `${stream.name}-app`;
    this.#places = { kinesisEndpoint, dynamoEndpoint, streamName: stream.name, applicationName };
  }

  static async begin(stack: RunningStack, name: string, shardCount: number): Promise<Crossing> {
    const stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName(name), shardCount);
    return new Crossing(stream, stack);
  }

  /** Also the lease table. */
  get applicationName(): string {
    return this.#places.applicationName;
  }

  java(options: Omit<JavaWorkerOptions, Given> & { readonly applicationName?: string }): Promise<JavaWorker> {
    return JavaWorker.start({ ...this.#places, ...options });
  }

  ours(options: Partial<OurWorkerOptions> = {}): Promise<OurWorker> {
    return OurWorker.start({ ...this.#places, ...options });
  }

  /** Leaves a lease for each shard, which nobody has: a Java worker that finds none takes half a minute to begin. */
  async prepareLeases(): Promise<void> {
    const maker = await this.ours({ instanceId: "maker" });
    await maker.until("a lease for each shard", () => maker.shardIds.length > 0);
    await maker.stop();
  }

  /** Puts `count` short records under as many keys. */
  async put(count: number): Promise<readonly StoredRecord[]> {
    const records = Array.from({ length: count }, () => {
      this.#count += 1;
      return { key: `key-${this.#count}`, data: Buffer.from(`record ${this.#count}`) };
    });
    return await this.putRecords(records);
  }

  async putRecords(records: readonly PutRecord[]): Promise<readonly StoredRecord[]> {
    const stored = await this.stream.put(records);
    this.stored.push(...stored);
    return stored;
  }

  /** Puts a few records every `everyMs` until it is disposed of. */
  feed(everyMs = 200): AsyncDisposable {
    return feeding(() => this.put(6), everyMs);
  }

  watch(): TableWatch {
    return new TableWatch(() => this.rows());
  }

  /** Waits until each record that was put was handed out by one of `workers`. */
  async delivered(workers: readonly { readonly records: readonly Sighting[] }[]): Promise<void> {
    const missing = () => {
      const seen = new Set(workers.flatMap(({ records }) => records.map((record) => record.sequenceNumber)));
      return this.stored.filter(({ sequenceNumber }) => !seen.has(sequenceNumber));
    };
    await eventually("every record", () => missing().length === 0).catch(async (cause: unknown) => {
      const rows = (await this.rows()).map(shortRow).join("\n");
      throw new Error(`never handed out: ${JSON.stringify(byShard(missing()))}; leases:\n${rows}`, { cause });
    });
  }

  /** The rows of the lease table, by their key. */
  async rows(table: string = this.applicationName): Promise<readonly LeaseRow[]> {
    return await this.#rows.ofAny(table);
  }

  async leaderOfKcl3(): Promise<string | undefined> {
    return await this.#rows.leaderOfKcl3(this.applicationName);
  }

  /** Waits until the rows of the lease table are as `look` wants them. */
  async settled(
    what: string,
    look: (rows: readonly LeaseRow[]) => boolean,
    table: string = this.applicationName,
  ): Promise<readonly LeaseRow[]> {
    return await eventually(
      `${what} in ${table}`,
      async () => {
        const rows = await this.rows(table);
        return look(rows) && rows;
      },
      { everyMs: 20, timeoutMs: 90_000 },
    );
  }

  /** What was put behind the checkpoints of `rows`: what a successor reads. */
  behind(rows: readonly LeaseRow[]): readonly StoredRecord[] {
    return behindCheckpoints(this.stored, rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows[Symbol.dispose]();
    await this.stream[Symbol.asyncDispose]();
  }
}

function shortRow(row: LeaseRow): string {
  return Object.entries(row)
    .map(([name, value]) => `${name}=${Object.values(value).join()}`)
    .join(" ");
}
