/**
 * What one client program is asked to do: its one argument, as JSON.
 *
 * A hundred different messages in turn (one alone would live in the processor's cache), each with a key, an event time and
 * the four properties that Pulsar IO's Kinesis source sets by default.
 */
export interface PublishWork {
  readonly url: string;
  readonly topic: string;
  readonly messages: number;
  /** Sent before anything is measured: for the compilers. */
  readonly warmUp: number;
  readonly bytes: number;
  readonly compression: string;
  readonly batching: boolean;
  /** Messages without a receipt. */
  readonly pending: number;
  /** Messages a second of the second phase, which measures latency. */
  readonly rate: number;
  readonly paced: number;
}

/** What it prints: one JSON line. Every receipt has come when a phase ends. */
export interface PublishAnswer {
  readonly stored: number;
  /** User and kernel mode, of the whole process, in the first phase. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** The most memory it had resident up to the end of the first phase. */
  readonly peakResidentBytes: number;
  /** From a message's sending to its receipt in the second phase, milliseconds. */
  readonly latenciesMs: readonly number[];
}
