import { familyCpuSeconds, residentBytes } from "../harness/process-usage.ts";
import type { Series } from "./document.ts";

/** Windows of records over which the cost is shown. */
const windows = 20;
/** Points of memory that are kept at most. */
const maxPoints = 60;
const everyMs = 500;

/** Follows a run: what a record costs as it goes on, and the memory of its process. */
export class RunSampler {
  readonly #pid: number;
  readonly #records: number;
  readonly #startedMs = performance.now();
  readonly #costs: [number, number][] = [];
  #memory: [number, number][] = [];
  #last: { stored: number; cpuSeconds: number } | undefined;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #stepMs = everyMs;

  constructor(pid: number, records: number) {
    this.#pid = pid;
    this.#records = records;
  }

  /** Call it often, with the records stored so far. */
  async sample(stored: number): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#measuredMs >= this.#stepMs) {
      this.#measuredMs = nowMs;
      await this.#sampleMemory((nowMs - this.#startedMs) / 1_000);
    }
    const last = this.#last;
    if (last !== undefined && stored - last.stored < this.#records / windows) return;
    const cpuSeconds = await familyCpuSeconds(this.#pid);
    if (last !== undefined) {
      const micros = ((cpuSeconds - last.cpuSeconds) * 1e6) / (stored - last.stored);
      this.#costs.push([stored, Math.round(micros * 10) / 10]);
    }
    this.#last = { stored, cpuSeconds };
  }

  /** Megabytes by seconds since the sampler was made, and microseconds by the records stored at the end of each window. */
  get series(): Readonly<Record<"residentMegabytes" | "cpuMicrosPerRecord", Series>> {
    return { residentMegabytes: this.#memory, cpuMicrosPerRecord: this.#costs };
  }

  async #sampleMemory(seconds: number): Promise<void> {
    const bytes = await residentBytes(this.#pid);
    this.#memory.push([Math.round(seconds * 10) / 10, Math.round(bytes / 1e5) / 10]);
    if (this.#memory.length <= maxPoints) return;
    // Half of the points, at twice the distance.
    this.#memory = this.#memory.filter((_, index) => index % 2 === 0);
    this.#stepMs *= 2;
  }
}
