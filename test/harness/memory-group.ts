import { access, constants, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { uniqueName } from "../stack.ts";

const root = "/sys/fs/cgroup/memory";

/** A limit of memory for processes, as a container has it: who exceeds it is killed. Linux with cgroups v1 and rights to it only. */
export class MemoryGroup implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Whether this machine lets us limit memory. */
  static async available(): Promise<boolean> {
    return await access(`${root}/memory.limit_in_bytes`).then(
      () =>
        access(root, constants.W_OK).then(
          () => true,
          () => false,
        ),
      () => false,
    );
  }

  static async create(limitBytes: number): Promise<MemoryGroup> {
    const path = `${root}/${uniqueName("pulsar-ts-io")}`;
    await mkdir(path);
    await writeFile(`${path}/memory.limit_in_bytes`, String(limitBytes));
    return new MemoryGroup(path);
  }

  /** At its start: what a process took before does not count. */
  async add(pid: number): Promise<void> {
    await writeFile(`${this.#path}/cgroup.procs`, String(pid));
  }

  /** The most that its processes used, bytes, caches of files included. */
  async peakBytes(): Promise<number> {
    return Number(await readFile(`${this.#path}/memory.max_usage_in_bytes`, "utf8"));
  }

  /** Its processes must have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rmdir(this.#path);
  }
}
