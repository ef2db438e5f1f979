import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Child } from "../../src/stack/child.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "pulsar-ts-io-child-test-"));

describe("Child", () => {
  it("dies with its parent, also when that is killed, with its folder and with what left its group", async () => {
    const folder = await newFolder();
    const program = fileURLToPath(new URL("./child-program.ts", import.meta.url));
    const args = ["--import", "tsx", "--conditions=@pulsar-ts-io/source", program, folder];
    const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: parent.stdout }), "line");
    const pids = JSON.parse(String(line)) as number[]; // as the program prints them
    expect(pids.map(runs)).toEqual([true, true]);
    parent.kill("SIGKILL");
    await expect.poll(() => pids.map(runs), { timeout: 30_000 }).toEqual([false, false]);
    await expect.poll(() => exists(folder), { timeout: 30_000 }).toBe(false);
  });

  it("is stopped in order, and killed when that takes too long", async () => {
    const folder = await newFolder();
    const options = { logFile: join(folder, "log"), folder, stopMs: 50 };
    const obedient = await Child.start("sleep", ["1000"], options);
    const deaf = await Child.start(
      "sh",
      ["-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"],
      options,
    );
    await expect.poll(() => deaf.lastLines()).toBe("deaf");
    await Promise.all([obedient.stop(), deaf.stop()]);
    await deaf.stop();
    expect([obedient.exit, deaf.exit]).toEqual(["SIGTERM", "SIGKILL"]);
    expect(await exists(folder)).toBe(true);
    await rm(folder, { recursive: true });
  });

  it("says which program is not installed", async () => {
    const folder = await newFolder();
    const start = Child.start("no-such-program", [], { logFile: join(folder, "log"), folder });
    await expect(start).rejects.toMatchObject({
      code: "PIO_STACK_PART_MISSING",
      remedy: expect.stringContaining("no-such-program"),
    });
    await rm(folder, { recursive: true });
  });
});

/** A process that ended and was not yet waited for counts as ended. */
function runs(pid: number): boolean {
  try {
    const state = execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
    return !state.trim().startsWith("Z");
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
