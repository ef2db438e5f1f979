import type { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import type { Lease } from "../../src/lease/lease.ts";
import type { ShardId } from "../../src/shard/shard.ts";
import type { Rig } from "../support/rig.ts";

/** DynamoDB's copies of a row agree within a second, as a rule. */
const longestLagMs = 1_000;
const staleShare = 0.4;

/** Makes scans that need not be consistent show some rows as they were before the last write: now the newer one, then the older again. */
export function makeScansStale({ table, clock }: Rig, random: SeededRandom): void {
  const former = new Map<ShardId, { readonly row: Lease; readonly untilMs: number }>();
  const { stored } = table;
  table.stored = (method, row, before, answered) => {
    former.set(row.shardId, { row: before, untilMs: clock.monotonic() + longestLagMs });
    stored(method, row, before, answered);
  };
  table.seen = (row) => {
    const known = former.get(row.shardId);
    const mayLag = known !== undefined && clock.monotonic() <= known.untilMs;
    return mayLag && random.next() < staleShare ? known.row : row;
  };
}
