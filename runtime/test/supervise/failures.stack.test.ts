import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

/** What is seen of a failure, as `docs/failures.md` says it. */
interface Failure {
  readonly what: string;
  /** What the connector does. */
  readonly how: string;
  readonly args?: readonly string[];
  /** Stopped once this shows; absent: it ends by itself. */
  readonly stopAfter?: string;
  readonly code: number;
  readonly shows: string;
}

const file = join(mkdtempSync(join(tmpdir(), "state-")), "file");
writeFileSync(file, "");

const failures: readonly Failure[] = [
  {
    what: "a source that throws in ack ends the instance",
    how: "ack",
    code: 1,
    shows: "error: the source failed: nobody wants to know [PIO_INSTANCE_FAILED]",
  },
  {
    what: "a source that throws in close fails a stop",
    how: "close",
    stopAfter: "source opened",
    code: 1,
    shows: "error: the source could not be closed: the door is stuck [PIO_INSTANCE_FAILED]",
  },
  {
    what: "a source that never returns from open is left behind at a stop",
    how: "open hangs",
    stopAfter: "open hangs",
    code: 0,
    shows: "source did not notice that it shall stop, going on without it",
  },
  {
    what: "a source that reads nothing at all broke the contract",
    how: "null",
    code: 1,
    shows: "error: the source failed: the source returned null instead of a record [PIO_SOURCE_CONTRACT]",
  },
  {
    what: "a source whose record has no bytes broke the contract",
    how: "text",
    code: 1,
    shows: "whose value is not a Uint8Array [PIO_SOURCE_CONTRACT]",
  },
  {
    what: "a source that calls fatal ends the instance",
    how: "fatal",
    code: 1,
    shows: "error: the source failed: the well is poisoned [PIO_INSTANCE_FAILED]",
  },
  {
    what: "a source that cannot tell its status goes on",
    how: "status",
    stopAfter: "source opened",
    code: 0,
    shows: "run ended",
  },
  {
    what: "a source that ends its process is started again where it has one of its own",
    how: "exit",
    args: ["--parallelism", "2"],
    code: 1,
    shows: "the instance's process ended with code 0 though nobody told it to [PIO_INSTANCE_DIED]",
  },
  {
    what: "a source that wants state where there is none is told so in Pulsar's words",
    how: "state",
    code: 4,
    shows:
      "error: the source could not be opened: State public/default/failing is not enabled. [PIO_STATE_DISABLED]",
  },
  {
    what: "a place for state that is none fails the source that uses it",
    how: "state",
    args: ["--state-store", `file:${file}`],
    code: 4,
    shows: "[PIO_STATE_STORE]",
  },
];

// They wait more than they work, so they wait together.
describe.concurrent("a failure", () => {
  it.each(failures)("$what", async ({ how, args = [], stopAfter, code, shows }) => {
    await using cli = new RealCli([
      ...["run", "--archive", fixture("failing"), "--output", "console", "--max-restarts", "0"],
      ...["--source-config", JSON.stringify({ label: how }), ...args],
    ]);
    if (stopAfter !== undefined) {
      await cli.shows(stopAfter);
      cli.kill("SIGTERM");
    }
    expect(await cli.exited).toEqual({ code, signal: null });
    expect(cli.stderr).toContain(shows);
    expect(cli.stderr).not.toMatch(/\n {4}at /);
  });

  it("a disk that is full for the state leaves what was stored, and says so", async () => {
    const directory = mkdtempSync(join(tmpdir(), "state-"));
    const args = [
      "run",
      "--archive",
      fixture("failing"),
      "--output",
      "console",
      "--state-store",
      `file:${directory}`,
    ];
    const config = ["--source-config", '{"label": "state"}', "--max-restarts", "0"];
    await using cli = new RealCli([...args, ...config], {}, { fileBlocks: 8 });
    expect(await cli.exited).toEqual({ code: 4, signal: null });
    expect(cli.stderr).toContain("the state key cannot be kept in");
    expect(cli.stderr).toContain("[PIO_STATE_STORE]");
    expect(readdirSync(join(directory, "public%default%failing"))).toEqual([]);
  });
});
