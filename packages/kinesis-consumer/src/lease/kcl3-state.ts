/** What KCL 3 keeps beside the leases: which of its modes the workers are in, and their signs of life. */
export interface Kcl3State {
  /** Such as `CLIENT_VERSION_3X`; absent: no worker of KCL 3 was ever here, or we may not look. */
  readonly clientVersion: string | undefined;
  /** The worker that leads; absent: nobody does. */
  readonly leader: string | undefined;
  /** Changes with each heartbeat of the leader, every 30 s; absent: nobody leads. */
  readonly leaderBeat: string | undefined;
  /** When each worker wrote its metrics, every 30 s: seconds since the epoch by that worker's clock. */
  readonly metricsSeconds: ReadonlyMap<string, number>;
  /** Whether the lease table has the index by which workers of KCL 3 find their leases. */
  readonly ownerIndex: boolean;
}

/** Where {@link Kcl3State} is read. */
export interface Kcl3StateReader {
  /**
   * The state now; what does not exist or may not be read is left out.
   *
   * @throws a coded, retryable error when the store could not answer.
   */
  read(signal: AbortSignal): Promise<Kcl3State>;
}

/** The tables that KCL 3 keeps beside the lease table up to 3.4; both by what names that one, also as an ARN. */
export function kcl3Tables(leaseTable: string): { readonly coordinator: string; readonly workers: string } {
  return { coordinator: `${leaseTable}-CoordinatorState`, workers: `${leaseTable}-WorkerMetricStats` };
}
