import { readdir, readFile } from "node:fs/promises";

/** Clock ticks of `/proc` in a second: fixed at 100 on Linux. */
const ticksPerSecond = 100;

/** The most memory a process ever had resident, bytes. Linux only. */
export function peakResidentBytes(pid: number): Promise<number> {
  return statusBytes(pid, "VmHWM");
}

/** The memory a process has resident now, bytes. Linux only. */
export function residentBytes(pid: number): Promise<number> {
  return statusBytes(pid, "VmRSS");
}

async function statusBytes(pid: number, field: "VmHWM" | "VmRSS"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} reports no ${field}`);
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

/** CPU seconds of a process and of all its descendants, those included that have ended and were waited for. Linux only. */
export async function familyCpuSecondsSoFar(pid: number): Promise<number> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = (await Promise.all(names.map(statOf))).filter((stat) => stat !== undefined);
  const family = new Set([pid]);
  for (let before = 0; before !== family.size; ) {
    before = family.size;
    for (const { pid: one, parent } of all) if (family.has(parent)) family.add(one);
  }
  return all.filter((stat) => family.has(stat.pid)).reduce((sum, { seconds }) => sum + seconds, 0);
}

/**
 * CPU seconds that the machine ran programs since it started, in all cores, or could not because a hypervisor ran others. Without
 * interrupts: those of the network on this machine are of the program that sends, and no process is charged for them. Linux only.
 */
export async function busyCpuSeconds(): Promise<number> {
  const stat = await readFile("/proc/stat", "utf8");
  const fields = stat.slice(0, stat.indexOf("\n")).trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , , , stolen = 0] = fields;
  return (user + nice + system + stolen) / ticksPerSecond;
}

/** `undefined`: it has ended. */
async function statOf(name: string) {
  const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(name), parent: Number(fields[1]), seconds: ticks / ticksPerSecond };
}
