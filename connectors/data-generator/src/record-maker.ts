import { createHash } from "node:crypto";
import type { SourceRecord } from "@pulsar-ts-io/core";
import type { DataGeneratorSourceOptions } from "./generated/options.ts";
import { RecordRandom } from "./record-random.ts";
import { Template } from "./template.ts";

/** Where a record stands: the number of its partition, and its own number within that. Both from 0. */
export interface RecordPlace {
  readonly partition: number;
  readonly sequence: number;
}

type MakerOptions = Pick<DataGeneratorSourceOptions, "keys" | "seed" | "size" | "template">;

/** Makes the record of a place: the same one whenever it is asked, but for the time. */
export class RecordMaker {
  readonly #options: MakerOptions;
  readonly #template: Template;
  readonly #series: string;

  /**
   * @param source whose records they are, among all that publish to a topic.
   * @throws DataGeneratorConfigError (`PIO_DATA_GENERATOR_CONFIG`) for a template that cannot be filled in.
   */
  constructor(options: MakerOptions, source: string) {
    this.#options = options;
    this.#template = new Template(options.size === undefined ? options.template : "");
    this.#series = `${source}/${fingerprint(options)}`;
  }

  /** @param onAck called with the place, each time the record is acknowledged. */
  make(place: RecordPlace, epochMs: number, onAck: (place: RecordPlace) => void): SourceRecord {
    const { keys, seed, size } = this.#options;
    const random = new RecordRandom(seed, place.partition, place.sequence);
    const key = keys === 0 ? undefined : `key-${random.integer(0, keys - 1)}`;
    const value =
      size === undefined
        ? Buffer.from(this.#template.fill({ ...place, key, epochMs, random }))
        : random.bytes(size);
    const partitionId = `${this.#series}/${partitionName(place.partition)}`;
    return new GeneratedRecord({ place, partitionId, value, key, eventTime: epochMs }, onAck);
  }
}

interface Content {
  readonly place: RecordPlace;
  readonly partitionId: string;
  readonly value: Uint8Array;
  readonly key: string | undefined;
  readonly eventTime: number;
}

class GeneratedRecord implements SourceRecord {
  readonly partitionId: string;
  readonly value: Uint8Array;
  readonly key: string | undefined;
  readonly eventTime: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly #place: RecordPlace;
  readonly #onAck: (place: RecordPlace) => void;

  constructor({ place, partitionId, value, key, eventTime }: Content, onAck: (place: RecordPlace) => void) {
    this.partitionId = partitionId;
    this.value = value;
    this.key = key;
    this.eventTime = eventTime;
    this.properties = {
      "generator.partition": String(place.partition),
      "generator.sequence": String(place.sequence),
    };
    this.#place = place;
    this.#onAck = onAck;
  }

  get recordSequence(): bigint {
    return BigInt(this.#place.sequence);
  }

  ack(): void {
    this.#onAck(this.#place);
  }
}

/** How a partition is called outside of this connector. */
export function partitionName(partition: number): string {
  return `partition-${partition}`;
}

/** The same for all that make the same records, and for no others: what is numbered alike must be alike. */
function fingerprint({ keys, seed, size, template }: MakerOptions): string {
  const what = JSON.stringify([seed, keys, size ?? template]);
  return createHash("sha256").update(what).digest("hex").slice(0, 12);
}
