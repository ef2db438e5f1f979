import { readFile } from "node:fs/promises";

/** Clock ticks of `/proc` in a second: fixed at 100 on Linux. */
const ticksPerSecond = 100;

/** The most memory a process ever had resident, bytes. Linux only. */
export async function peakResidentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no VmHWM`);
  return Number(kilobytes) * 1_024;
}

/** CPU seconds a process has used so far, in user and kernel mode. Linux only. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The same of a process and all that it started, as far as those live. */
export async function familyCpuSeconds(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  const pids = children.split(" ").filter((text) => text !== "");
  const seconds = await Promise.all([
    cpuSeconds(pid),
    ...pids.map((child) => familyCpuSeconds(Number(child))),
  ]);
  return seconds.reduce((sum, one) => sum + one, 0);
}
