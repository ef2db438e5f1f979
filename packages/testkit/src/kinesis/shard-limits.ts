import { ServiceError } from "./service-error.ts";

/** AWS: what one shard gives and takes. */
const readsPerSecond = 5;
const readBytesPerSecond = 2_097_152;
const writesPerSecond = 1_000;
const writeBytesPerSecond = 1_048_576;
const windowMs = 1_000;

interface Usage {
  windowStartMs: number;
  count: number;
  bytes: number;
  /** A large answer uses up the seconds after it. */
  blockedUntilMs: number;
}

/**
 * The throughput of each shard, as AWS limits it. Off until asked for: most tests want to be fast.
 *
 * Counted in windows of a second that begin with the first call after the last one. An answer of more than a
 * second's bytes blocks the shard for as many seconds as it is worth: 10 MB, five seconds.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
 */
export class ShardLimits {
  /** Five GetRecords calls and 2 MiB a second. */
  enforceReads = false;
  /** 1000 records and 1 MiB a second. */
  enforceWrites = false;
  readonly #reads = new Map<string, Usage>();
  readonly #writes = new Map<string, Usage>();

  /** @throws ServiceError ProvisionedThroughputExceededException */
  beforeRead(shardKey: string, description: string, nowMs: number): void {
    if (!this.enforceReads) return;
    const usage = current(this.#reads, shardKey, nowMs);
    usage.count += 1;
    if (usage.count > readsPerSecond || usage.bytes >= readBytesPerSecond || nowMs < usage.blockedUntilMs) {
      throw new ServiceError("ProvisionedThroughputExceededException", `Rate exceeded for ${description}`);
    }
  }

  afterRead(shardKey: string, bytes: number, nowMs: number): void {
    if (!this.enforceReads) return;
    const usage = current(this.#reads, shardKey, nowMs);
    usage.bytes += bytes;
    if (bytes > readBytesPerSecond) {
      usage.blockedUntilMs = nowMs + (bytes / readBytesPerSecond) * windowMs;
    }
  }

  /** Whether one more record may be put into the shard; counts it if so. */
  mayWrite(shardKey: string, bytes: number, nowMs: number): boolean {
    if (!this.enforceWrites) return true;
    const usage = current(this.#writes, shardKey, nowMs);
    if (usage.count >= writesPerSecond || usage.bytes + bytes > writeBytesPerSecond) return false;
    usage.count += 1;
    usage.bytes += bytes;
    return true;
  }
}

function current(usages: Map<string, Usage>, key: string, nowMs: number): Usage {
  const known = usages.get(key);
  if (known !== undefined && nowMs - known.windowStartMs < windowMs) return known;
  const fresh = { windowStartMs: nowMs, count: 0, bytes: 0, blockedUntilMs: known?.blockedUntilMs ?? 0 };
  usages.set(key, fresh);
  return fresh;
}
