import fc from "fast-check";

/** The seed of the run for every property, so that `npm test -- --seed N` repeats it; more cases in the long tier. */
const seed = process.env["PULSAR_TS_IO_SEED"];
fc.configureGlobal({
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  numRuns: process.env["PULSAR_TS_IO_TIER"] === "long" ? 1_000 : 100,
});
