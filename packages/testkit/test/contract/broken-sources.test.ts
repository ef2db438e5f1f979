import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SourceContext, SourceRecord } from "@pulsar-ts-io/core";
import { afterAll, describe, expect, it } from "vitest";
import {
  contractTrials,
  type ProducedRecord,
  type SourceContractOptions,
  type WrittenConfig,
} from "../../src/contract/index.ts";
import { pondContract } from "./pond-contract.ts";
import { type PondOptions, type PondRecord, PondSource } from "./pond-source.ts";

const timers: NodeJS.Timeout[] = [];
afterAll(() => {
  for (const timer of timers) clearInterval(timer);
});

/** Leaves a timer behind each time that it read. */
class LeavesTimers extends PondSource {
  override async read(): Promise<SourceRecord> {
    timers.push(setInterval(() => undefined, 60_000));
    return await super.read();
  }
}

/** Waits for its opening, which nobody stops, before it closes. */
class ClosesAfterOpening extends PondSource {
  #opening: Promise<void> = Promise.resolve();

  override async open(options: PondOptions, context: SourceContext): Promise<void> {
    this.#opening = context.signal.aborted ? Promise.resolve() : this.#open(options, context);
    await this.#opening;
  }

  override async close(): Promise<void> {
    await this.#opening;
    await super.close();
  }

  async #open(options: PondOptions, context: SourceContext): Promise<void> {
    await Promise.resolve();
    await super.open(options, context).catch(() => new Promise(() => undefined));
  }
}

/** Begins what only its closing would end, although it was closed by then. */
class OpensAfterClosing extends PondSource {
  override async open(options: PondOptions, context: SourceContext): Promise<void> {
    await nextTurn();
    if (context.signal.aborted) timers.push(setInterval(() => undefined, 60_000));
    await super.open(options, context);
  }
}

/** Hands out what it has, whoever stops it. */
class EmptiesItsBuffer extends PondSource {
  override async read(): Promise<SourceRecord> {
    if (this.buffer.size > 0) return await this.buffer.take(new AbortController().signal);
    return await super.read();
  }
}

/** Does not notice that it shall stop reading. */
class ReadsOn extends PondSource {
  override async read(): Promise<SourceRecord> {
    return await this.buffer.take(new AbortController().signal);
  }
}

/** Hands two neighbours on in the wrong order, once. */
class Swaps extends PondSource {
  protected override recordAt(place: number, produced: ProducedRecord): PondRecord {
    const other = place === 45 ? 50 : place === 50 ? 45 : place;
    return super.recordAt(other, this.pond.records[other] ?? produced);
  }
}

/** Loses the first record that comes while it waits for one. */
class LosesNewcomers extends PondSource {
  #newcomer = 0;

  override async open(options: PondOptions, context: SourceContext): Promise<void> {
    await super.open(options, context);
    this.#newcomer = this.pond.records.length;
  }

  protected override async take(record: PondRecord, signal: AbortSignal): Promise<void> {
    if (record.place === 0 || record.place !== this.#newcomer) await super.take(record, signal);
  }
}

/** Numbers its records, and takes one number twice. */
class CountsTwice extends PondSource {
  override async read(): Promise<SourceRecord> {
    const record = (await super.read()) as PondRecord;
    const recordSequence = BigInt(record.place === 30 ? 29 : record.place);
    return Object.assign(record, { partitionId: this.pondName, recordSequence });
  }
}

/** Counts from zero each time it is started. */
class CountsAnew extends PondSource {
  #count = 0n;

  override async read(): Promise<SourceRecord> {
    const record = await super.read();
    this.#count += 1n;
    return Object.assign(record, { partitionId: this.pondName, recordSequence: this.#count });
  }
}

/** Takes another part of its service for a new one each time, and so numbers twice what comes again. */
class NamesPartsAnew extends PondSource {
  readonly #part = `pond-${Math.random()}`;

  override async read(): Promise<SourceRecord> {
    const record = (await super.read()) as PondRecord;
    return Object.assign(record, { partitionId: this.#part, recordSequence: BigInt(record.place) });
  }
}

/** Takes one name for whatever it reads: the next pond's records have the numbers of this one's. */
class NamesPondsAlike extends PondSource {
  override async read(): Promise<SourceRecord> {
    const record = (await super.read()) as PondRecord;
    return Object.assign(record, { partitionId: "pond", recordSequence: BigInt(record.place) });
  }
}

/** Takes one name for whatever it reads, and numbers that no other pond has. */
class NumbersPondsApart extends PondSource {
  override async read(): Promise<SourceRecord> {
    const record = (await super.read()) as PondRecord;
    const first = BigInt(this.pondName.replace("pond-", "")) * 1_000n;
    return Object.assign(record, { partitionId: "pond", recordSequence: first + BigInt(record.place) });
  }
}

/** Names its records after the pond. */
class NamesByPond extends PondSource {
  override async read(): Promise<SourceRecord> {
    const record = (await super.read()) as PondRecord;
    return Object.assign(record, { partitionId: this.pondName, recordSequence: BigInt(record.place) });
  }
}

/** Leaves to other instances what their numbers say. */
class SharesByNumber extends PondSource {
  protected override async take(record: PondRecord, signal: AbortSignal): Promise<void> {
    const { instanceId = 0, numInstances = 1 } = this.context ?? {};
    if (record.place % numInstances === instanceId) await super.take(record, signal);
  }
}

/** Leaves to other instances what their numbers say, and takes the first one's share besides. */
class SharesTwice extends PondSource {
  protected override async take(record: PondRecord, signal: AbortSignal): Promise<void> {
    const { instanceId = 0, numInstances = 1 } = this.context ?? {};
    const of = record.place % numInstances;
    if (of === instanceId || of === 0) await super.take(record, signal);
  }
}

/** Takes values for text. */
class Decodes extends PondSource {
  protected override recordAt(place: number, produced: ProducedRecord): PondRecord {
    const value = new TextEncoder().encode(new TextDecoder().decode(produced.value));
    return super.recordAt(place, { ...produced, value });
  }
}

/** Stores the last place that was acknowledged, whatever lies before it. */
class StepsOverGaps extends PondSource {
  #last = 0;

  override acknowledged(place: number): void {
    this.#last = Math.max(this.#last, place + 1);
    this.store(this.#last);
  }
}

/** Takes a record that could not be sent for one that was. */
class ForgetsFailures extends PondSource {
  override failed(place: number): void {
    this.acknowledged(place);
  }
}

/** Stores what it handed on, not what was acknowledged, every fiftieth time. */
class StoresWhatItRead extends PondSource {
  override async read(): Promise<SourceRecord> {
    const record = (await super.read()) as PondRecord;
    if (record.place % 50 === 49 && record.place > 120) this.pond.position = record.place + 1;
    return record;
  }

  protected override store(position: number): void {
    this.pond.position = Math.max(position, this.pond.position);
  }
}

/** Stores only every tenth position, and not the last one. */
class ForgetsTheLast extends PondSource {
  protected override store(position: number): void {
    if (position % 10 === 0) super.store(position);
  }
}

/** Reads ahead without a bound, and keeps copies as a client of a real service would. */
class ReadsAhead extends PondSource {
  readonly #copies: PondRecord[] = [];

  protected override async take(record: PondRecord): Promise<void> {
    this.#copies.push(Object.assign(record, { value: Uint8Array.from(record.value) }));
    await Promise.resolve();
  }

  override async read(): Promise<SourceRecord> {
    const { context } = this;
    if (context === undefined) throw new Error("not open");
    for (;;) {
      const record = this.#copies.shift();
      context.signal.throwIfAborted();
      if (record !== undefined) return record;
      await context.clock.sleep(1, context.signal);
    }
  }
}

/** Logs its config. */
class Tells extends PondSource {
  override async open(options: PondOptions, context: SourceContext): Promise<void> {
    context.logger.info({ options }, "opening");
    await super.open(options, context);
  }
}

/** The pond's package with another text in one of its files. */
function changed(file: string, from: string, to: string): SourceContractOptions {
  const options = pondContract();
  const directory = mkdtempSync(join(tmpdir(), "pond-"));
  cpSync(options.directory ?? "", directory, { recursive: true });
  const before = readFileSync(join(directory, file), "utf8");
  const after = before.replace(from, to);
  if (after === before) throw new Error(`nothing to change in ${file}`);
  writeFileSync(join(directory, file), after);
  return { ...options, directory };
}

/** A suite of a source that takes no value of any bytes. */
function linesAlone(): SourceContractOptions {
  return { ...pondContract(), capabilities: { anyBytes: false } };
}

function withPassword(password: string | undefined): SourceContractOptions {
  const options = pondContract();
  const config = async (): Promise<WrittenConfig> => {
    const { password: _usual, ...written } = await made(options);
    return password === undefined ? written : { ...written, password };
  };
  return { ...options, config };
}

async function made({ config }: SourceContractOptions): Promise<WrittenConfig> {
  return typeof config === "function" ? await config() : config;
}

/** Nobody waits here for anything but a broken promise. */
const quick = { patienceMs: 2_000, memoryBudgetBytes: 8 * 1024 * 1024, kills: 10 };
const numbers = "a record has one number in all lives, and a later one of its partition a larger one";
const otherConfig = "a partition id and a number mean one record, also in a source with another config";
const byNumber = "instances divide the records by number if the manifest says so, and only then";
const sharing = () => changed("pulsar-io.yaml", 'apiVersion: "1"', 'apiVersion: "1"\nsharding: by-number');
const withGlobalIds = () =>
  changed("pulsar-io.yaml", 'apiVersion: "1"', 'apiVersion: "1"\npartitionIds: global');
const schema = "schemas/pond-source.schema.json";

describe("a source that keeps every promise", () => {
  it.each<readonly [string, typeof PondSource, SourceContractOptions]>([
    ["divides the records by number, and says so", SharesByNumber, sharing()],
    ["has ids of its own for each pond, and says so", NamesByPond, withGlobalIds()],
    [
      "numbers what it reads apart, under one id that it does not call global",
      NumbersPondsApart,
      pondContract(),
    ],
  ])(
    "is not blamed when it %s",
    async (_, Kept, options) => {
      const Source = { [PondSource.name]: class extends Kept {} }[PondSource.name] ?? Kept;
      const numberSentences = contractTrials(Source, { ...options, ...quick }).filter(({ says }) =>
        [otherConfig, byNumber].includes(says),
      );
      expect(numberSentences).toHaveLength(2);
      for (const trial of numberSentences) await trial.run();
    },
    60_000,
  );
});

describe("a source that breaks one promise", () => {
  it.each([
    {
      says: "the manifest loads without running code",
      options: changed("pulsar-io.yaml", "index.js#PondSource", "index.js#LakeSource"),
    },
    {
      says: "unknown keys are refused with a suggestion",
      options: changed(schema, '"additionalProperties": false', '"additionalProperties": true'),
    },
    {
      says: "every invalid fixture fails with its path",
      options: changed(schema, '"minimum": 1', '"minimum": 0'),
    },
    { says: "open and close ten times leave no handle, socket or timer", Broken: LeavesTimers },
    { says: "close ends within its deadline, also during open", Broken: ClosesAfterOpening },
    { says: "close ends within its deadline, also during open", Broken: OpensAfterClosing },
    { says: "an aborted read rejects", Broken: ReadsOn },
    { says: "an aborted read rejects", Broken: EmptiesItsBuffer },
    { says: "reads everything once and in order per partition", Broken: Swaps },
    { says: "reads everything once and in order per partition", Broken: LosesNewcomers },
    { says: numbers, Broken: CountsTwice },
    { says: numbers, Broken: CountsAnew },
    { says: numbers, Broken: NamesPartsAnew },
    { says: otherConfig, Broken: NamesPondsAlike },
    { says: otherConfig, Broken: NumbersPondsApart, options: withGlobalIds() },
    { says: byNumber, Broken: SharesByNumber },
    { says: byNumber, Broken: SharesTwice, options: sharing() },
    { says: byNumber, options: sharing() },
    { says: "every byte value, an empty value and 1 MiB arrive intact", Broken: Decodes },
    { says: "acknowledgements out of order never move the position past a gap", Broken: StepsOverGaps },
    { says: "k failed sends, then recovery, lose nothing", Broken: ForgetsFailures },
    { says: "killed at random points, nothing is lost", Broken: StoresWhatItRead },
    { says: "a clean restart replays nothing", Broken: ForgetsTheLast },
    { says: "a slow publisher keeps memory under the budget", Broken: ReadsAhead },
    { says: "a slow publisher keeps memory under the budget", Broken: ReadsAhead, options: linesAlone() },
    { says: "no secret appears in any log, error or status", Broken: Tells },
    {
      says: "no secret appears in any log, error or status",
      Broken: Tells,
      options: withPassword('-----BEGIN KEY-----\n"a\\b"\n'),
    },
    { says: "no secret appears in any log, error or status", options: withPassword(undefined) },
  ])(
    "is caught by exactly that sentence: $says",
    async ({ says, Broken = PondSource, options = pondContract() }) => {
      const Source = { [PondSource.name]: class extends Broken {} }[PondSource.name] ?? Broken;
      const broken: string[] = [];
      for (const trial of contractTrials(Source, { ...options, ...quick })) {
        await trial.run().catch((error: Error) => broken.push(`${trial.says}: ${error.message}`));
      }
      expect(broken.map((text) => text.slice(0, text.indexOf(":")))).toEqual([says]);
    },
    120_000,
  );
});
