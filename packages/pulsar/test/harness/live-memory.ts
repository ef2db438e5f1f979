import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // what the flag puts there

/**
 * Bytes of objects and buffers that are still reachable in this process.
 *
 * Resident memory would also show what the allocator keeps of the past, by tens of megabytes either way.
 */
export async function liveBytes(): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    await nextTurn(); // buffers go in the turn after their owners
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
