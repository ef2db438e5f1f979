import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type BenchDocument, toolOf } from "./document.ts";
import { integerOption } from "./options.ts";
import { fileOf, type PlannedRun, plan } from "./plan.ts";

const usage = `npm run bench -- all --save DIR [options]     every document that docs/performance.md is made of

Runs the benchmarks of test/bench/plan.ts one after the other, the most telling first, and saves their documents to DIR. A run is
skipped when DIR has its document already, of the same commit, of a quiet machine and without a refusal to compare: the same
command continues where it ended. Exit code 0 when DIR has them all, 3 when it does not, 1 when a run failed.

  --save DIR      docs/performance, for the page
  --minutes N     begins no run that would end later; default 40
  --only NAME     runs whose name begins so; repeatable
  --list          shows the plan, and what DIR has of it
`;

type State = "measured" | "missing" | "on a busy machine" | "not compared";

const { values } = parseArgs({
  options: {
    save: { type: "string" },
    minutes: { type: "string", default: "40" },
    only: { type: "string", multiple: true, default: [] },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else if (values.save === undefined) {
  process.stderr.write(`--save is missing\n\n${usage}`);
  process.exitCode = 2;
} else await runAll(values.save, integerOption("minutes", values.minutes, 1, 1_440));

async function runAll(folder: string, minutes: number): Promise<void> {
  const planned = plan.filter(
    ({ name }) => values.only.length === 0 || values.only.some((one) => name.startsWith(one)),
  );
  const { commit } = toolOf();
  const stateOf = (run: PlannedRun) => stateIn(folder, run, commit);
  if (values.list) {
    for (const run of planned)
      process.stdout.write(`${run.name.padEnd(24)}${String(run.minutes).padStart(5)} min  ${stateOf(run)}\n`);
    return;
  }
  const endMs = performance.now() + minutes * 60_000;
  for (const run of planned) {
    if (stateOf(run) === "measured") continue;
    const leftMinutes = (endMs - performance.now()) / 60_000;
    if (run.minutes > leftMinutes) {
      report(`${run.name} takes ${run.minutes} minutes: no time left`);
      continue;
    }
    report(`${run.name}, ${run.minutes} of ${leftMinutes.toFixed(1)} minutes …`);
    await runOne(run, folder);
  }
  const states = planned.map((run) => ({ run, state: stateOf(run) }));
  for (const { run, state } of states) if (state !== "measured") report(`${run.name}: ${state}`);
  if (process.exitCode === undefined && states.some(({ state }) => state !== "measured"))
    process.exitCode = 3;
}

function stateIn(folder: string, { name }: PlannedRun, commit: string): State {
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) return "missing";
  const { tool, load } = JSON.parse(readFileSync(file, "utf8")) as BenchDocument; // written by a benchmark
  if (tool.commit !== commit) return "missing";
  if (load.refused !== null) return "not compared";
  return load.machine === "quiet" ? "measured" : "on a busy machine";
}

/** A run that fails or takes too long leaves the others to be run. */
async function runOne(run: PlannedRun, folder: string): Promise<void> {
  const source = ["--import", "tsx", "--conditions=@pulsar-ts-io/source"];
  const child = spawn(
    process.execPath,
    [...source, fileOf(run), ...run.args, "--save", folder, "--name", run.name],
    // A group of its own, so that what it started ends with it.
    { stdio: ["ignore", process.stderr, "inherit"], detached: true },
  );
  const tooLate = setTimeout(() => end(child), run.minutes * 2 * 60_000);
  const onInterrupt = () => end(child);
  process.once("SIGINT", onInterrupt);
  const [code] = (await once(child, "exit")) as [number | null]; // by Node's documentation
  clearTimeout(tooLate);
  process.off("SIGINT", onInterrupt);
  if (code === 0 || code === 3) return;
  report(`${run.name} failed`);
  process.exitCode = 1;
}

function end(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
}

function report(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
