import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

/** Sees a condition come true that no output tells of. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function childrenOf(pid: number | undefined): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return list.trim().split(" ").filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function twoOf(connector: string, ...more: string[]): string[] {
  const source = ["run", "--archive", fixture(connector), "--output", "console"];
  return [...source, "--parallelism", "2", ...more];
}

/** The children once both have opened their source. */
async function twoOpen(cli: RealCli): Promise<readonly [number, number]> {
  await until(() => (cli.stderr.match(/source opened/g)?.length ?? 0) >= 2);
  await new Promise((resolve) => setTimeout(resolve, 500)); // until their parent knows it, too
  const [one = 0, other = 0] = childrenOf(cli.child.pid);
  return [one, other];
}

describe.runIf(process.platform === "linux")("instances in processes of their own", () => {
  it("read, print and log, each under its id, and drain on SIGTERM", async () => {
    await using cli = new RealCli(twoOf("good"));
    const pids = await twoOpen(cli);
    await until(() => (cli.stdout.match(/record 3/g)?.length ?? 0) === 2);
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    const closed = cli.stderr
      .split("\n")
      .filter((line) => line.includes('"fixture closed"'))
      .map((line) => JSON.parse(line));
    expect(new Map(closed.map(({ instanceId, acknowledged }) => [instanceId, acknowledged]))).toEqual(
      new Map([
        [0, 3],
        [1, 3],
      ]),
    );
    expect(cli.stderr).toMatch(/"written":6,.*"run ended"/);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("hold no setting and no secret in their command lines or environments", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "secret-")), "key");
    writeFileSync(file, "canary-in-a-mine\n");
    const config = JSON.stringify({ count: 1, apiKey: `\${file:${file}}` });
    await using cli = new RealCli(twoOf("good", "--source-config", config));
    for (const pid of await twoOpen(cli)) {
      for (const shown of ["cmdline", "environ"]) {
        const text = readFileSync(`/proc/${pid}/${shown}`, "utf8");
        expect(text).not.toContain("canary");
        expect(text).not.toContain("fixtures");
      }
    }
    cli.kill("SIGTERM");
    expect((await cli.exited).code).toBe(0);
    expect(cli.stderr).toContain("(redacted)");
    expect(cli.stderr + cli.stdout).not.toContain("canary");
  });

  it("are started again one by one when they are killed", async () => {
    await using cli = new RealCli(twoOf("good"));
    const [killed, kept] = await twoOpen(cli);
    process.kill(killed, "SIGKILL");
    await until(() => (cli.stderr.match(/source opened/g)?.length ?? 0) === 3);
    expect(cli.stderr).toContain("was killed (SIGKILL), as a system does that runs out of memory");
    const now = childrenOf(cli.child.pid);
    expect(now).toHaveLength(2);
    expect(now).toContain(kept);
    expect(now).not.toContain(killed);
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
  });

  // These wait far more than they work, so they wait together.
  it.concurrent("are started again when their heap is full", async () => {
    await using cli = new RealCli(twoOf("hungry"), { NODE_OPTIONS: "--max-old-space-size=64" });
    await cli.shows("ran out of heap memory");
    await cli.shows("it is started again after a pause");
    cli.kill("SIGKILL");
  });

  it.concurrent("end themselves when their event loop is blocked, and are started again", async () => {
    await using cli = new RealCli(twoOf("busy", "--stall-timeout", "1s"));
    await cli.shows("error: the event loop was blocked for 1000 ms, the process is ended [PIO_LOOP_BLOCKED]");
    await cli.shows("ended with code 7 though nobody told it to");
    await cli.shows("it is started again after a pause");
    cli.kill("SIGKILL");
  });

  it.concurrent("are started again when they take more memory than they may, one that is alone, too", async () => {
    await using cli = new RealCli([
      ...["run", "--archive", fixture("hungry"), "--output", "console", "--max-memory", "200m"],
    ]);
    await cli.shows("MB of --max-memory");
    await cli.shows("it is started again after a pause");
    expect(cli.stderr).toContain("reading stopped, waiting for receipts");
    cli.kill("SIGKILL");
  });

  it.concurrent("are killed when they report nothing for 15 s after their drain time-out", async () => {
    await using cli = new RealCli(twoOf("busy", "--drain-timeout", "1ms"));
    const pids = await twoOpen(cli);
    await until(() => (cli.stdout.match(/content:record/g)?.length ?? 0) === 6);
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 1, signal: null });
    expect(cli.stderr).toContain("instance did not stop in time, its process is killed");
    expect(cli.stderr).toContain("[PIO_SHUTDOWN_TIMEOUT]");
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("end at once with their parent on its second signal", async () => {
    await using cli = new RealCli(twoOf("deaf"));
    const pids = await twoOpen(cli);
    cli.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 50)); // two of a kind at once are one signal to the kernel
    cli.kill("SIGINT");
    expect(await cli.exited).toEqual({ code: 130, signal: null });
    await until(() => !pids.some(isAlive));
  });

  it("drain and end when their parent is killed, and log their last lines where it logged", async () => {
    await using cli = new RealCli(twoOf("good"));
    const pids = await twoOpen(cli);
    cli.kill("SIGKILL");
    await until(() => !pids.some(isAlive));
    await until(() => cli.stderr.split("reading stopped, waiting for receipts").length === 3);
  });

  it("end the run together with the failure of their first start", async () => {
    await using cli = new RealCli(twoOf("failing-open", "--log-level", "error"));
    expect(await cli.exited).toEqual({ code: 4, signal: null });
    expect(cli.stderr).toMatch(
      /^error: the source could not be opened: nothing answers there \[PIO_\w+\]\nremedy: .*\n$/,
    );
  });

  it("end with the code of what failed when they were started again as often as they may", async () => {
    await using cli = new RealCli(twoOf("failing-read", "--max-restarts", "1", "--log-level", "error"));
    expect(await cli.exited).toEqual({ code: 1, signal: null });
    expect(cli.stderr).toContain("the source failed: the well is dry");
  });

  it("end quietly when the reader of their output goes away", async () => {
    await using cli = new RealCli(
      twoOf("good", "--source-config", '{"count": 1000000}', "--log-level", "error"),
    );
    await cli.shows("record 1");
    cli.child.stdout.destroy();
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr).toBe("");
  });
});

it("a process whose event loop is blocked ends with 7 and one error", async () => {
  await using cli = new RealCli([
    ...["run", "--archive", fixture("busy"), "--output", "console", "--stall-timeout", "1s"],
  ]);
  expect(await cli.exited).toEqual({ code: 7, signal: null });
  expect(cli.stderr.trim().split("\n").slice(-2)).toEqual([
    "error: the event loop was blocked for 1000 ms, the process is ended [PIO_LOOP_BLOCKED]",
    expect.stringMatching(/^remedy: /),
  ]);
});
