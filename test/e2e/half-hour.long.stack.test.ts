import { readdir } from "node:fs/promises";
import process from "node:process";
import { setInterval } from "node:timers/promises";
import type { KinesisDouble } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { exactlyAsPut } from "../harness/comparison.ts";
import { peakResidentBytes } from "../harness/process-usage.ts";
import { describeWithStack } from "../stack.ts";
import { runKilledPair } from "./killed-pair.ts";

/** With lives of 8 s on average, and a restart of the broker after every ten of them: half an hour. */
const counts = { kills: 190, records: 360_000, killsPerBrokerRestart: 10, longestLifeMs: 16_000 };
const sampleMs = 10_000;
/** How much the median of the last quarter may be above the second quarter's. */
const tolerance = 1.1;
const mostResidentBytes = 300 * 1_048_576;

describeWithStack("half an hour of EFFECTIVELY_ONCE with faults", (stack) => {
  it("leaves each record once and in order, and the memory and descriptors of a worker that lives through it as they were", async () => {
    const descriptors: number[] = [];
    const stopped = new AbortController();
    let elder: Cli | undefined;
    let sampling: Promise<void> | undefined;
    let peakBytes = 0;
    const comparison = await runKilledPair(stack, {
      ...counts,
      guarantee: "EFFECTIVELY_ONCE",
      sparesElder: true,
      nodeArgs: ["--trace-gc"],
      onRound: async ({ pair, kinesis }) => {
        elder = pair.elder;
        if (elder !== undefined) {
          sampling ??= sampleUntil(stopped.signal, elder, descriptors);
          peakBytes = await peakResidentBytes(elder.pid);
        }
        disturb(kinesis);
      },
    }).finally(() => stopped.abort());
    await sampling;
    expect(comparison).toEqual(exactlyAsPut);

    const live = liveMegabytes(elder?.stdout ?? []);
    const trends = { "live MB": trendOf(live), descriptors: trendOf(descriptors) };
    process.stdout.write(`${JSON.stringify(trends)}, peak RSS ${Math.round(peakBytes / 1e6)} MB\n`);
    for (const [held, { second, last }] of Object.entries(trends))
      expect(last, held).toBeLessThanOrEqual(second * tolerance);
    expect(peakBytes).toBeLessThan(mostResidentBytes);
  }, 3_600_000);
});

/** A few calls of each round go wrong, each in another way. */
function disturb({ faults }: KinesisDouble): void {
  faults.clear();
  const often = { probability: 0.02, count: 20 };
  faults.throttle("GetRecords", often);
  faults.reset("GetRecords", often);
  faults.add({ ...often, operation: "GetRecords", effect: { kind: "lose-answer" } });
  faults.add({ ...often, operation: "GetRecords", effect: { kind: "cut-answer" } });
  faults.refuse("GetShardIterator", "InternalFailure", often);
  faults.delay("GetRecords", 3_000, often);
}

/** Counts what the process has open until it ends, or it is enough. */
async function sampleUntil(signal: AbortSignal, cli: Cli, descriptors: number[]): Promise<void> {
  try {
    for await (const _ of setInterval(sampleMs, undefined, { signal })) {
      if (!cli.running) return;
      descriptors.push((await readdir(`/proc/${cli.pid}/fd`)).length);
    }
  } catch (error) {
    if (!signal.aborted && cli.running) throw error;
  }
}

/**
 * What was alive after each full collection of the main thread's heap, of which `--trace-gc` tells. Resident memory says less: of a
 * process this small the engine keeps 100 or 140 MB as it sees fit.
 */
function liveMegabytes(lines: readonly string[]): readonly number[] {
  const collections = lines.map((line) => /^\[\d+:(0x\w+)\].*Mark-Compact.* -> ([\d.]+) /.exec(line));
  const [main] = collections.flatMap((found) => found?.[1] ?? []);
  return collections.flatMap((found) => (found?.[1] === main ? [Number(found?.[2])] : []));
}

interface Trend {
  readonly second: number;
  readonly last: number;
}

function trendOf(samples: readonly number[]): Trend {
  const quarter = Math.floor(samples.length / 4);
  return { second: median(samples.slice(quarter, 2 * quarter)), last: median(samples.slice(-quarter)) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
