import type { BenchDocument } from "../document.ts";
import { figureTable } from "../figure-table.ts";
import type { InstancesBenchOptions } from "./instances-options.ts";

/** µs CPU a record. */
export type InstancesValue = "oneCpuMicrosPerRecord" | "fourCpuMicrosPerRecord";

export const instancesRatios = { fourToOne: ["fourCpuMicrosPerRecord", "oneCpuMicrosPerRecord"] } as const;

const rows = [
  { name: "oneCpuMicrosPerRecord", title: "one instance, µs CPU a record", digits: 1 },
  { name: "fourCpuMicrosPerRecord", title: "four instances, µs CPU a record", digits: 1 },
  { name: "fourToOne", title: "four : one", digits: 2 },
] as const;

/** Most that a record may cost with four instances, in what it costs with one. */
const limit = 1.15;

/** For people: median first, then the spread. */
export function table(document: BenchDocument, options: InstancesBenchOptions): string {
  const { records, sizeBytes, rounds } = options;
  return figureTable(`${records} records of ${sizeBytes} bytes, 4 shards, ${rounds} rounds`, rows, document);
}

/** What costs too much, a line each. The median counts: other work may have disturbed a round. */
export function excesses({ figures, load }: BenchDocument): readonly string[] {
  if (load.refused !== null) return [];
  const { median } = figures["fourToOne"] ?? { median: Number.NaN };
  if (median <= limit) return [];
  return [
    `with four instances a record costs ${median.toFixed(2)} times as much, at most ${limit} are allowed`,
  ];
}
