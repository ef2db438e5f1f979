import type { BenchDocument } from "../document.ts";
import type { AddedLatency } from "./added-latency.ts";
import type { LatencyBenchOptions } from "./latency-options.ts";

export const roundTrips = [0, 20, 100] as const;
export const ways = ["fan-out", "polling"] as const;
export const manyShards = 40;
export const manyShardsCallMs = 250;
/** What Kinesis gives out is 2 MB/s. */
const leastMegabytes = 1.8;
const leastRecords = 9_000;

type Place = `${(typeof ways)[number]}.${(typeof roundTrips)[number]}ms`;

export type LatencyValue =
  | `${Place}.megabytesPerSecond`
  | `${Place}.${keyof AddedLatency}Ms`
  | "manyShardsRecordsPerSecond";

export type LatencyValues = Partial<Record<LatencyValue, number>>;

/** For people. */
export function table({ figures }: BenchDocument, options: LatencyBenchOptions): string {
  const { megabytes, sizeBytes, rate, addedBytes, only } = options;
  const cell = (name: LatencyValue, digits: number) => figures[name]?.median.toFixed(digits) ?? "-";
  const line = (cells: readonly string[]) =>
    `  ${cells.map((one, index) => (index === 0 ? one.padEnd(18) : one.padStart(18))).join("")}`;
  const added = ways.flatMap((way) => [`${way}, p50, ms`, `${way}, p99, ms`]);
  const addedLines = [
    `added latency at ${rate} records/s of ${addedBytes} bytes: received by the CLI until sent to the broker`,
    line(["round trip, ms", ...added]),
    ...roundTrips.map((ms) =>
      line([
        String(ms),
        ...ways.flatMap((way) => [
          cell(`${way}.${ms}ms.addedP50Ms`, 1),
          cell(`${way}.${ms}ms.addedP99Ms`, 1),
        ]),
      ]),
    ),
  ];
  const readingLines = [
    `one shard, ${megabytes} MB in records of ${sizeBytes} bytes`,
    line(["round trip, ms", ...ways.map((way) => `${way}, MB/s`)]),
    ...roundTrips.map((ms) =>
      line([String(ms), ...ways.map((way) => cell(`${way}.${ms}ms.megabytesPerSecond`, 2))]),
    ),
    `${manyShards} shards, ${manyShardsCallMs} ms a call, polling, queue of 1,000: ${cell("manyShardsRecordsPerSecond", 0)} records/s`,
  ];
  return [...(only === "reading" ? [] : addedLines), ...(only === "added" ? [] : readingLines), ""].join(
    "\n",
  );
}

/** What is too slow, a line each. */
export function shortfalls({ figures }: BenchDocument, { only }: LatencyBenchOptions): readonly string[] {
  if (only === "added") return [];
  const slow = roundTrips.flatMap((ms) => {
    const found = figures[`fan-out.${ms}ms.megabytesPerSecond`]?.median ?? Number.NaN;
    if (found >= leastMegabytes) return [];
    return [`fan-out at ${ms} ms: ${found.toFixed(2)} MB/s, at least ${leastMegabytes} are wanted`];
  });
  const many = figures["manyShardsRecordsPerSecond"]?.median ?? Number.NaN;
  if (many >= leastRecords) return slow;
  return [...slow, `${manyShards} shards: ${many.toFixed(0)} records/s, at least ${leastRecords} are wanted`];
}
