/** What one instance did since it started. Java's names, where it has them. */
export interface InstanceSnapshot {
  /** Records that `read` returned. */
  readonly received: number;
  /** Records whose receipt arrived. Java counts them when they are queued. */
  readonly written: number;
  /** Of these, records that Pulsar had stored before, and did not store again. */
  readonly duplicates: number;
  /** Records that Pulsar refused for good. */
  readonly failed: number;
  /** Of these, records that were passed over. */
  readonly skipped: number;
  /** Of these, records that the dead-letter topic has. */
  readonly deadLettered: number;
  /** Records given up unconfirmed, at a stop that waited too long or with a process that died: they are read again. */
  readonly abandoned: number;
  /** Records handed to a publisher and not settled. */
  readonly inFlight: number;
  /** Their payload bytes. */
  readonly inFlightBytes: number;
  /** Payload bytes of the written records. */
  readonly writtenBytes: number;
  /** Epoch milliseconds of the last `read` that returned; 0 before the first. */
  readonly lastReceivedTime: number;
  /** Epoch milliseconds of the last receipt; 0 before the first. */
  readonly lastWrittenTime: number;
  /** Refused records, and what ended the instance. */
  readonly systemExceptions: number;
  /** What the source threw. As in Java, what ended the instance counts here and there. */
  readonly sourceExceptions: number;
  /** The largest lag of its partitions in milliseconds; `undefined` when the source states none. */
  readonly lagMs: number | undefined;
}

/** The counts behind {@link InstanceSnapshot}; plain fields, for they change with each record. */
export class InstanceCounters {
  received = 0;
  written = 0;
  duplicates = 0;
  failed = 0;
  skipped = 0;
  deadLettered = 0;
  abandoned = 0;
  inFlight = 0;
  inFlightBytes = 0;
  writtenBytes = 0;
  lastReceivedTime = 0;
  lastWrittenTime = 0;
}
