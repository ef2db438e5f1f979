import { createHook } from "node:async_hooks";
import { PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import { figure } from "../figure.ts";
import { RecordPath } from "./record-path.ts";
import { referenceLoop } from "./reference-loop.ts";

/** What a record costs, in units that do not depend on the machine. Medians. */
export interface PathCosts {
  /** Bytes of the heap that are allocated, whatever becomes of them. */
  readonly heapBytes: number;
  /** The same outside of the heap, where payloads are. */
  readonly offHeapBytes: number;
  readonly promises: number;
  /** CPU time, in that of one turn of the reference loop. */
  readonly cpuToReference: number;
}

export interface PathCounts {
  readonly warmUp: number;
  /** Records of one measurement of allocations: so few that no garbage collection falls into it. */
  readonly records: number;
  /** Records of one measurement of CPU time. */
  readonly timedRecords: number;
  readonly measurements: number;
}

/** A garbage collection in between spoils a measurement of allocations. */
const maxSpoiled = 20;

/** Needs `--expose-gc`, and `--min-semi-space-size` of what a measurement allocates. */
export async function measurePathCosts(counts: PathCounts): Promise<PathCosts> {
  await using path = await RecordPath.open();
  await path.move(counts.warmUp);
  referenceLoop(counts.warmUp);
  const cpu = await cpuToReference(path, counts);
  const allocated = await allocations(path, counts);
  return {
    heapBytes: medianOf(allocated.map(({ heap }) => heap)) / counts.records,
    offHeapBytes: medianOf(allocated.map(({ offHeap }) => offHeap)) / counts.records,
    promises: (await promisesOf(() => path.move(counts.records))) / counts.records,
    cpuToReference: cpu,
  };
}

/** Both in turn, so that whatever slows one of them slows the other. */
async function cpuToReference(
  path: RecordPath,
  { timedRecords: records, measurements }: PathCounts,
): Promise<number> {
  const ratios: number[] = [];
  for (let number = 0; number < measurements; number += 1) {
    const before = await cpuOf(() => Promise.resolve(referenceLoop(records)));
    const moved = await cpuOf(() => path.move(records));
    const after = await cpuOf(() => Promise.resolve(referenceLoop(records)));
    ratios.push((2 * moved) / (before + after));
  }
  return medianOf(ratios);
}

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function allocations(path: RecordPath, { records, measurements }: PathCounts) {
  const found: { heap: number; offHeap: number }[] = [];
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ["gc"] });
  for (let spoiled = 0; found.length < measurements; ) {
    await collectGarbage();
    await turns();
    collections = 0;
    const before = process.memoryUsage();
    await path.move(records);
    const after = process.memoryUsage();
    await turns();
    if (collections === 0) {
      found.push({
        heap: after.heapUsed - before.heapUsed,
        offHeap: after.arrayBuffers - before.arrayBuffers,
      });
      continue;
    }
    spoiled += 1;
    if (spoiled > maxSpoiled) throw new Error(`garbage was collected in ${spoiled} measurements`);
  }
  observer.disconnect();
  return found;
}

async function promisesOf(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "PROMISE") count += 1;
    },
  }).enable();
  await work();
  hook.disable();
  return count;
}

async function collectGarbage(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error("start Node with --expose-gc");
  // What the first one leaves to be swept, the second one waits for: memory that is not swept yet would bring the next one on.
  await globalThis.gc();
  await globalThis.gc();
}

/** An observer learns of a collection a little later. */
async function turns(): Promise<void> {
  for (let count = 0; count < 3; count += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

function medianOf(values: readonly number[]): number {
  return figure(values)?.median ?? Number.NaN;
}
