/** What the publishing process is asked to do: its one argument, as JSON. */
export interface SoakWork {
  readonly url: string;
  /** By which the broker names the proxy. */
  readonly listenerName: string;
  readonly topic: string;
  /** Messages a second. */
  readonly rate: number;
  readonly bytes: number;
  readonly minutes: number;
}

/** One minute of the publishing process: medians of its seconds. */
export interface SoakMinute {
  readonly kind: "minute";
  readonly minute: number;
  readonly residentBytes: number;
  /** File descriptors. */
  readonly descriptors: number;
  /** What keeps the event loop alive: sockets, timers, requests. */
  readonly handles: number;
  readonly sent: number;
}

/** When every message is settled. */
export interface SoakEnd {
  readonly kind: "end";
  readonly sent: number;
  readonly stored: number;
  /** Receipts that say that a message had been stored before, by a frame whose own receipt a reset took away. */
  readonly storedBefore: number;
  readonly failed: number;
  /** Of the first that failed. */
  readonly failure: string | undefined;
}

/** What it prints, a JSON line each. */
export type SoakLine = SoakMinute | SoakEnd;

/** Message `number` carries it as its first eight bytes, and the key of one of 97 orders. */
export const keyOf = (number: number): string => `order-${number % keys}`;

export const keys = 97;
