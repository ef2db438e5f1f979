import { access, readFile } from "node:fs/promises";
import { peakResidentBytes } from "./process-usage.ts";

/** Where Docker puts the memory group of a container: cgroups v1, then v2 with its two drivers. */
const places = (id: string) => [
  { folder: `/sys/fs/cgroup/memory/docker/${id}`, peak: "memory.max_usage_in_bytes" },
  { folder: `/sys/fs/cgroup/docker/${id}`, peak: "memory.peak" },
  { folder: `/sys/fs/cgroup/system.slice/docker-${id}.scope`, peak: "memory.peak" },
];

export interface ContainerMemory {
  /** The most that its processes used together, bytes, caches of files included. */
  readonly peakBytes: number;
  /** The most that each of its processes had resident, bytes, in the order in which they started. */
  readonly processes: readonly number[];
}

/** What a running container took so far, read on the machine that runs it. Linux only. */
export async function containerMemory(id: string): Promise<ContainerMemory> {
  for (const { folder, peak } of places(id)) {
    const found = await access(folder).then(
      () => true,
      () => false,
    );
    if (!found) continue;
    const pids = (await readFile(`${folder}/cgroup.procs`, "utf8")).trim().split("\n").map(Number);
    const processes = await Promise.all(pids.sort((a, b) => a - b).map(peakResidentBytes));
    return { peakBytes: Number(await readFile(`${folder}/${peak}`, "utf8")), processes };
  }
  throw new Error(`container ${id} has no memory group`);
}
