import { readFile } from "node:fs/promises";

/** Clock ticks of `/proc` in a second: fixed at 100 on Linux. */
const ticksPerSecond = 100;

/** The most memory a process ever had resident, bytes. Linux only. */
export function peakResidentBytes(pid: number): Promise<number> {
  return memoryOf(pid, "VmHWM");
}

/** The memory a process has resident now, bytes. Linux only. */
export function residentBytes(pid: number): Promise<number> {
  return memoryOf(pid, "VmRSS");
}

/** CPU seconds a process has used so far, in user and kernel mode. Linux only. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function memoryOf(pid: number, field: "VmHWM" | "VmRSS"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no ${field}`);
  return Number(kilobytes) * 1_024;
}
