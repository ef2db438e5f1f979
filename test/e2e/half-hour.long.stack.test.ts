import { readdir } from "node:fs/promises";
import process from "node:process";
import { setInterval } from "node:timers/promises";
import type { KinesisDouble } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { exactlyAsPut } from "../harness/comparison.ts";
import { residentBytes } from "../harness/process-usage.ts";
import { describeWithStack } from "../stack.ts";
import { runKilledPair } from "./killed-pair.ts";

/** With lives of 8 s on average, and a restart of the broker after every ten of them: half an hour. */
const counts = { kills: 190, records: 360_000, killsPerBrokerRestart: 10, longestLifeMs: 16_000 };
const sampleMs = 10_000;
/** How much the median of the last quarter may be above the second quarter's. */
const tolerance = 1.1;

interface Sample {
  readonly residentMb: number;
  readonly descriptors: number;
}

describeWithStack("half an hour of EFFECTIVELY_ONCE with faults", (stack) => {
  it("leaves each record once and in order, and the memory and descriptors of a worker that lives through it as they were", async () => {
    const samples: Sample[] = [];
    const stopped = new AbortController();
    let sampling: Promise<void> | undefined;
    const comparison = await runKilledPair(stack, {
      ...counts,
      guarantee: "EFFECTIVELY_ONCE",
      sparesElder: true,
      onRound: ({ pair, kinesis }) => {
        const { elder } = pair;
        if (elder !== undefined) sampling ??= sampleUntil(stopped.signal, elder, samples);
        disturb(kinesis);
      },
    }).finally(() => stopped.abort());
    await sampling;
    expect(comparison).toEqual(exactlyAsPut);

    const quarter = Math.floor(samples.length / 4);
    const second = samples.slice(quarter, 2 * quarter);
    const last = samples.slice(-quarter);
    for (const held of ["residentMb", "descriptors"] as const) {
      const [before, after] = [second, last].map((some) => median(some.map((sample) => sample[held])));
      process.stdout.write(`${held}: ${before} in the second quarter, ${after} in the last\n`);
      expect(after, held).toBeLessThanOrEqual((before ?? 0) * tolerance);
    }
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

/** Looks at the process until it ends, or it is enough. */
async function sampleUntil(signal: AbortSignal, cli: Cli, samples: Sample[]): Promise<void> {
  try {
    for await (const _ of setInterval(sampleMs, undefined, { signal })) {
      if (!cli.running) return;
      const descriptors = await readdir(`/proc/${cli.pid}/fd`);
      const residentMb = Math.round((await residentBytes(cli.pid)) / 1e6);
      samples.push({ residentMb, descriptors: descriptors.length });
    }
  } catch (error) {
    if (!signal.aborted && cli.running) throw error;
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
