import { JavaRandom } from "./java-random.ts";
import type { Lease } from "./lease.ts";

/** KCL's, so that its workers and ours come to the same result. */
const seed = 1947;

/**
 * The worker that KCL 2 makes the leader, by what the lease table says: each worker finds it for itself. `undefined` when no lease
 * has an owner; then everyone leads. It may be dead until others have taken its leases, and while they differ over the table two may
 * lead: nothing that must not be missed or done twice may depend on it.
 *
 * @see DeterministicShuffleShardSyncLeaderDecider in KCL
 */
export function shardSyncLeader(leases: readonly Lease[]): string | undefined {
  const owners = new Set(leases.flatMap(({ owner }) => owner ?? []));
  return shuffledWorkers(owners)[0];
}

/** `workers` in the order of KCL's shuffle: `Collections.shuffle` of the sorted names, in the order of UTF-16 as in Java. */
export function shuffledWorkers(workers: Iterable<string>): readonly string[] {
  const names = [...workers].sort();
  const random = new JavaRandom(seed);
  for (let size = names.length; size > 1; size -= 1) {
    const last = names[size - 1] ?? "";
    const index = random.nextInt(size);
    names[size - 1] = names[index] ?? "";
    names[index] = last;
  }
  return names;
}
