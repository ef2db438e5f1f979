import { runCommand } from "./run-command.ts";

/** Whether a process of that id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Kills, with SIGKILL, every process that has a path under `folder` in its arguments.
 *
 * @param folder a temporary folder of ours: its name is like no other, so nobody else's process is hit.
 */
export async function killThoseIn(folder: string): Promise<void> {
  const signal = new AbortController().signal;
  const found: number[] = [];
  const onLine = (line: string) => {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    if (match?.[2]?.includes(`${folder}/`)) found.push(Number(match[1]));
  };
  await runCommand("ps", ["-A", "-o", "pid=", "-o", "args="], { signal, onLine });
  for (const pid of found) {
    if (pid === process.pid) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}
