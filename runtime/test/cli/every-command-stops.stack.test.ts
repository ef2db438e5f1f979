import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { everyCommand } from "../support/command-list.ts";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

const directory = mkdtempSync(join(tmpdir(), "stops-"));
/** A second, and what a loaded machine adds to it. */
const withinMs = 6_000;

/** A pipe that nobody writes to: reading it blocks a thread of Node's pool. */
function pipe(name: string): string {
  const path = join(directory, name);
  if (!existsSync(path)) execFileSync("mkfifo", [path]);
  return path;
}

/** A connector's directory of which one file cannot be read to its end. */
function withPipe(file: string): string {
  const copy = mkdtempSync(join(directory, "connector-"));
  cpSync(fixture("good"), copy, { recursive: true });
  rmSync(join(copy, file), { force: true });
  execFileSync("mkfifo", [join(copy, file)]);
  return copy;
}

/** A PATH on which npm ignores every signal that can be ignored. */
function deafNpm(): string {
  const path = join(directory, "npm");
  writeFileSync(path, "#!/bin/sh\ntrap '' TERM INT\nwhile :; do sleep 1; done\n");
  chmodSync(path, 0o755);
  return `${directory}:${process.env["PATH"] ?? ""}`;
}

interface Hang {
  readonly words: readonly string[];
  readonly what: string;
  readonly args: () => readonly string[] | Promise<readonly string[]>;
  readonly env?: () => Readonly<Record<string, string>>;
  /** As a shell shows it. */
  readonly codes: readonly number[];
}

const server = createServer(() => undefined);

async function mutePort(): Promise<string> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return String(typeof address === "object" ? address?.port : "");
}

const stopped = [143];
/** Before Node 22.15 a process whose pool is blocked can end by a signal alone. */
const stoppedRun = [0, 143];

const aboutSource = [["check"], ["partitions"], ["partitions", "reset"], ["validate"], ["run"]];
const hangingFile: readonly Hang[] = aboutSource.map((words) => ({
  words,
  what: "a config file",
  args: () => [
    "--source-config-file",
    pipe("config"),
    ...(words.includes("reset") ? ["--to", "LATEST"] : []),
  ],
  codes: words.includes("run") ? stoppedRun : stopped,
}));
const tools = [
  ["check"],
  ["partitions"],
  ["partitions", "reset", "--to", "LATEST", "--yes"],
  ["run", "--output", "console", "--dry-run"],
];
const hangingTool: readonly Hang[] = ["hanging", "hanging-load"].flatMap((connector) =>
  tools.map((words) => ({
    words,
    what: connector === "hanging" ? "a tool" : "a module",
    args: () => ["--archive", fixture(connector)],
    codes: stopped,
  })),
);

const hangs: readonly Hang[] = [
  ...hangingFile,
  ...hangingTool,
  {
    words: ["run"],
    what: "a module",
    args: () => ["--archive", fixture("hanging-load"), "--output", "console"],
    codes: [0],
  },
  {
    words: ["status"],
    what: "an answer",
    args: async () => ["--http-port", await mutePort()],
    codes: stopped,
  },
  {
    words: ["connectors", "list"],
    what: "a manifest",
    args: () => ["--connectors-dir", join(withPipe("pulsar-io.yaml"), "..")],
    codes: stopped,
  },
  {
    words: ["connectors", "describe"],
    what: "a schema",
    args: () => [withPipe("schema.json")],
    codes: stopped,
  },
  {
    words: ["connectors", "verify"],
    what: "a module",
    args: () => [fixture("hanging-load")],
    codes: stopped,
  },
  { words: ["schema"], what: "a property table", args: () => [withPipe("README.md")], codes: stopped },
  {
    words: ["package"],
    what: "npm",
    args: () => [fixture("good")],
    env: () => ({ PATH: deafNpm() }),
    codes: stopped,
  },
  {
    words: ["dev"],
    what: "a build",
    args: () => [fixture("good")],
    env: () => ({ PATH: deafNpm() }),
    codes: [0],
  },
];

/** These wait for nothing: they print a text, or copy files of their own. */
const instant = new Set(["", "completion", "create", "connectors"]);

/** Makes a process say when it handles SIGTERM: from then on the signal is the program's own affair. */
const announced = "SIGTERM is handled";
const announce = `process.once("newListener", function note(event) {
  if (event === "SIGTERM") process.stderr.write("${announced}\\n");
  else process.once("newListener", note);
});`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(announce)}`;

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

describe.runIf(process.platform === "linux")("SIGTERM", () => {
  it.concurrent.each(hangs)(
    "ends `$words` within a second while $what hangs",
    { timeout: 60_000 },
    async (hang) => {
      await using cli = new RealCli([...hang.words, ...(await hang.args())], {
        NODE_OPTIONS,
        ...hang.env?.(),
      });
      await cli.shows(announced);
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // until it waits for what hangs
      expect(cli.child.exitCode, cli.stderr).toBeNull();
      const before = performance.now();
      cli.kill("SIGTERM");
      const { code, signal } = await cli.exited;
      expect(performance.now() - before).toBeLessThan(withinMs);
      const shown = code ?? (signal === "SIGTERM" ? 143 : signal);
      expect(hang.codes, cli.stderr).toContain(shown);
    },
  );

  it("is tried with every command that can wait for something", () => {
    const tried = new Set(hangs.map(({ words }) => words.filter((word) => /^[a-z]+$/.test(word)).join(" ")));
    const left = everyCommand()
      .map(({ words }) => words.join(" "))
      .filter((words) => !(instant.has(words) || tried.has(words)));
    expect(left).toEqual([]);
  });
});
