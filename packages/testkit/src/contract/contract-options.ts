import type { Clock } from "@pulsar-ts-io/core";

/** What an author's `produce` is to bring to where the source reads. */
export interface ProducedRecord {
  /** Records of one key stay in order. */
  readonly key: string;
  readonly value: Uint8Array;
}

/** A config as a user writes it. */
export type WrittenConfig = Readonly<Record<string, unknown>>;

export interface InvalidConfig {
  readonly config: WrittenConfig;
  /** The setting that is wrong, such as `pollIdleTime`. */
  readonly path: string;
}

/** What a source may say that it cannot do; each takes sentences away, and the report says which. */
export interface Capabilities {
  /** Records that were not acknowledged come again at the next start. */
  readonly replayable: boolean;
  /** Values are taken as they are; `false`: the source makes or rewrites them. */
  readonly anyBytes: boolean;
  /** A message key is the key that a record was put with. */
  readonly keys: boolean;
  /** Records are put from outside; `false`: the source makes them itself. */
  readonly producible: boolean;
}

export type Capability = keyof Capabilities;

/** What a source makes by itself. */
export interface MadeRecords {
  /** What it takes in the config that these are made, and no others. */
  readonly config: WrittenConfig;
  readonly records: readonly ProducedRecord[];
}

export interface SourceContractOptions {
  /** A valid config; a function makes one for each test, so that each has a stream, a folder or a table of its own. */
  readonly config: WrittenConfig | (() => WrittenConfig | Promise<WrittenConfig>);
  /** At least one. */
  readonly invalidConfigs: readonly InvalidConfig[];
  /** Puts records where a source with `config` reads them; they are there when it resolves. Needed unless `producible` is false. */
  readonly produce?: (records: readonly ProducedRecord[], config: WrittenConfig) => Promise<void>;
  /** The first `count` records that the source makes by itself: instead of `produce`, where `producible` is false. More of them begin with the same ones. */
  readonly makes?: (count: number) => MadeRecords;
  /** Takes away what belongs to `config`, after its test. */
  readonly dispose?: (config: WrittenConfig) => Promise<void>;
  /** The connector's directory; default the current one. */
  readonly directory?: string;
  /** What the source cannot do. */
  readonly capabilities?: Partial<Capabilities>;
  /** Texts that must appear nowhere, besides the sensitive values of the config. */
  readonly secrets?: readonly string[];
  /** Time for one test; default a `TestClock` that runs as fast as the source lets it. A source of real services needs `systemClock`. */
  readonly clock?: () => Clock;
  /** How long something may take that should happen, in real milliseconds; default 15000. */
  readonly patienceMs?: number;
  /** Memory that the source may take while nobody takes its records, bytes; default 16 MiB. */
  readonly memoryBudgetBytes?: number;
  /** How often the source is killed; default 20. */
  readonly kills?: number;
}

/** The options with nothing left to default. */
export interface ContractSettings extends Required<Omit<SourceContractOptions, "capabilities" | "makes">> {
  readonly makes: ((count: number) => MadeRecords) | undefined;
  readonly capabilities: Capabilities;
}
