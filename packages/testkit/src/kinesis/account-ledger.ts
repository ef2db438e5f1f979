/** A value that CloudWatch was told. */
export interface PutMetric {
  readonly namespace: string;
  readonly region: string;
  readonly name: string;
  /** `None` when it was not told. */
  readonly unit: string;
  /** As they were sent, in order. */
  readonly dimensions: readonly { readonly name: string; readonly value: string }[];
  /** A single value is its own least, greatest and sum. */
  readonly statistics: MetricStatistics;
  /** What the sender says, milliseconds since the epoch; `undefined`: the time of arrival. */
  readonly timestampMs: number | undefined;
}

export interface MetricStatistics {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

/** A role that STS gave credentials for. */
export interface AssumedRole {
  readonly roleArn: string;
  readonly sessionName: string;
  /** The access key of whoever asked. */
  readonly by: string;
  readonly region: string;
  /** The access key that was given. */
  readonly accessKeyId: string;
  readonly expiresMs: number;
}

/** Of each kind: enough for any test, and a double that runs for days does not grow. */
const kept = 100_000;

/** What was done in the account besides Kinesis, oldest first. */
export class AccountLedger {
  readonly #metrics: PutMetric[] = [];
  readonly #roles: AssumedRole[] = [];

  get metrics(): readonly PutMetric[] {
    return this.#metrics;
  }

  get assumedRoles(): readonly AssumedRole[] {
    return this.#roles;
  }

  /** Of a bounded number only the last are kept. */
  addMetrics(metrics: readonly PutMetric[]): void {
    append(this.#metrics, metrics);
  }

  addRole(role: AssumedRole): void {
    append(this.#roles, [role]);
  }
}

function append<T>(list: T[], more: readonly T[]): void {
  list.push(...more);
  // Half at a time: to shift one off each time would move them all.
  if (list.length > kept * 2) list.splice(0, list.length - kept);
}
