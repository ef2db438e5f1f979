import { parseArgs } from "node:util";
import { runBenchmark } from "./benchmark.ts";
import { figureTable } from "./figure-table.ts";
import { type CommonOptions, commonOptions, readCommonOptions } from "./options.ts";

/** A benchmark of two values that measures nothing, for tests: the first argument is the other work of its two parts, in cores. */
interface TwoRoundsOptions extends CommonOptions {
  readonly otherCores: readonly number[];
}

const rows = [
  { name: "ours", title: "ours", digits: 1 },
  { name: "theirs", title: "theirs", digits: 1 },
  { name: "oursToTheirs", title: "ours : theirs", digits: 2 },
] as const;

await runBenchmark({
  benchmark: "two-rounds",
  usage: "two-rounds CORES,CORES\n",
  readOptions: (args): TwoRoundsOptions => {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: commonOptions,
      allowPositionals: true,
    });
    const [cores = ""] = positionals;
    return { otherCores: cores.split(",").map(Number), ...readCommonOptions(values) };
  },
  measure: ({ otherCores: [ours = 0, theirs = 0] }) =>
    Promise.resolve({
      rounds: [
        {
          loads: {
            ours: { loadAverage: 0.5, otherCores: ours },
            theirs: { loadAverage: 2.5, otherCores: theirs },
          },
          values: { ours: 10, theirs: 40 },
        },
      ],
      ratios: { oursToTheirs: ["ours", "theirs"] as const },
    }),
  table: (document) => figureTable("two rounds", rows, document),
});
