import os from "node:os";
import { type Machine, machine } from "../figure.ts";
import type { LatencyBenchOptions } from "./latency-options.ts";

export const roundTrips = [0, 20, 100] as const;
export const manyShards = 40;
export const manyShardsCallMs = 250;
/** What Kinesis gives out is 2 MB/s. */
const leastMegabytes = 1.8;
const leastRecords = 9_000;

export interface ShardSpeed {
  readonly roundTripMs: number;
  /** Of payload. */
  readonly fanOutMegabytesPerSecond: number;
  readonly pollingMegabytesPerSecond: number;
}

/** The JSON document. */
export interface LatencyReport {
  readonly benchmark: "latency";
  readonly at: string;
  readonly machine: Machine;
  /** Over the last minute, at the end. */
  readonly loadAverage: number;
  readonly options: Pick<LatencyBenchOptions, "megabytes" | "sizeBytes">;
  readonly oneShard: readonly ShardSpeed[];
  readonly manyShardsRecordsPerSecond: number;
}

export function summarise(
  { megabytes, sizeBytes }: LatencyBenchOptions,
  oneShard: readonly ShardSpeed[],
  manyShardsRecordsPerSecond: number,
): LatencyReport {
  return {
    benchmark: "latency",
    at: new Date().toISOString(),
    machine: machine(),
    loadAverage: os.loadavg()[0] ?? 0,
    options: { megabytes, sizeBytes },
    oneShard,
    manyShardsRecordsPerSecond,
  };
}

/** For people. */
export function table({ options, oneShard, manyShardsRecordsPerSecond, loadAverage }: LatencyReport): string {
  return [
    `one shard, ${options.megabytes} MB in records of ${options.sizeBytes} bytes; load average ${loadAverage.toFixed(1)}`,
    `  ${"round trip, ms".padEnd(18)}${"fan-out, MB/s".padStart(16)}${"polling, MB/s".padStart(16)}`,
    ...oneShard.map(
      (speed) =>
        `  ${String(speed.roundTripMs).padEnd(18)}${speed.fanOutMegabytesPerSecond.toFixed(2).padStart(16)}${speed.pollingMegabytesPerSecond.toFixed(2).padStart(16)}`,
    ),
    `${manyShards} shards, ${manyShardsCallMs} ms a call, polling, queue of 1,000: ${manyShardsRecordsPerSecond.toFixed(0)} records/s`,
    "",
  ].join("\n");
}

/** What is too slow, a line each. */
export function shortfalls({ oneShard, manyShardsRecordsPerSecond }: LatencyReport): readonly string[] {
  const slow = oneShard
    .filter((speed) => !(speed.fanOutMegabytesPerSecond >= leastMegabytes))
    .map(
      ({ roundTripMs, fanOutMegabytesPerSecond: found }) =>
        `fan-out at ${roundTripMs} ms: ${found.toFixed(2)} MB/s, at least ${leastMegabytes} are wanted`,
    );
  if (manyShardsRecordsPerSecond >= leastRecords) return slow;
  return [
    ...slow,
    `${manyShards} shards: ${manyShardsRecordsPerSecond.toFixed(0)} records/s, at least ${leastRecords} are wanted`,
  ];
}
