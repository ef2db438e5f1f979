import type { RememberedCall } from "@pulsar-ts-io/testkit";

/** A time in which one instance asked for the records of one shard, again and again. Milliseconds of the double's clock. */
export interface Spell {
  readonly shardId: string;
  /** By the word `instance/…` of the user agent. */
  readonly instance: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A reader that has read everything asks once a second: one that was silent for so long had stopped, or could not run. */
const pauseMs = 3_000;

/** The spells of each shard, in the order in which they began. */
export function shardSpells(calls: readonly RememberedCall[]): ReadonlyMap<string, readonly Spell[]> {
  const spells = new Map<string, Spell[]>();
  for (const { shardId = "", userAgent = "", atMs } of calls) {
    const instance = /\binstance\/\S+/.exec(userAgent)?.[0] ?? "nobody";
    const ofShard = spells.get(shardId) ?? [];
    const at = ofShard.findLastIndex((spell) => spell.instance === instance);
    const last = ofShard[at];
    if (last === undefined || atMs - last.toMs > pauseMs) {
      ofShard.push({ shardId, instance, fromMs: atMs, toMs: atMs });
    } else {
      ofShard[at] = { ...last, toMs: atMs };
    }
    spells.set(shardId, ofShard);
  }
  return spells;
}

/** Spells of one shard that began before another instance's had ended. */
export function overlaps(ofShard: readonly Spell[]): readonly (readonly [Spell, Spell])[] {
  return ofShard.flatMap((spell, index) =>
    ofShard
      .slice(index + 1)
      .filter((later) => later.fromMs <= spell.toMs)
      .map((later) => [spell, later] as const),
  );
}

/** The longest time between `fromMs` and `toMs` in which nobody asked for the shard, milliseconds. */
export function longestIdleMs(
  calls: readonly RememberedCall[],
  shardId: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  const times = calls.filter((call) => call.shardId === shardId).map(({ atMs }) => atMs);
  const moments = [fromMs, ...times.filter((atMs) => atMs > fromMs && atMs < toMs), toMs];
  return Math.max(...moments.slice(1).map((atMs, index) => atMs - (moments[index] ?? atMs)));
}
