import type { Child } from "./child.ts";

/** What a broker runs in. */
export interface PulsarRuntime {
  /** The address inside that clients on this machine can reach. */
  readonly bindAddress: string;
  /** Starts the broker on the data that earlier starts have left. */
  start(): Promise<Child>;
  /** Ends the broker at once, as a crash does; its data stays. */
  kill(child: Child): Promise<void>;
  /** Removes what is not in the work folder. */
  remove(): Promise<void>;
}

export interface PulsarPlace {
  readonly version: string;
  /** Holds the configuration, the log and the data. */
  readonly folder: string;
  readonly configFile: string;
  readonly ports: readonly number[];
  readonly heapMb: number;
}
