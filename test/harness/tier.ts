import process from "node:process";

/** Which counts a run uses: the quick ones of `npm test`, or those of `npm run test:long`. */
export const tier: "quick" | "long" = process.env["PULSAR_TS_IO_TIER"] === "long" ? "long" : "quick";

/** The seed of this run's random times, sizes and orders. Printed by the runner; give it again to repeat a run. */
export const runSeed: number = Number(process.env["PULSAR_TS_IO_SEED"] ?? "1");

/** `quick` or `long`, as the tier says. */
export function byTier<T>(counts: { readonly quick: T; readonly long: T }): T {
  return counts[tier];
}
