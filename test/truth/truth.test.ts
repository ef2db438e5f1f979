import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseExposition } from "../../runtime/test/support/exposition.ts";
import { type Fault, faults, type Shown, well } from "./faults.ts";
import { type Answers, TruthRun } from "./truth-run.ts";

const lookMs = 30_000;

beforeAll(() => {
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"]) vi.stubEnv(name, undefined);
});

afterAll(() => {
  vi.unstubAllEnvs();
});

/** What the answers show, in the form of what is expected of them. */
function seen(answers: Answers): Omit<Shown, "log" | "page" | "alerts"> {
  const { instances } = answers.status;
  const samples = parseExposition(answers.metrics);
  const troubles = instances.flatMap(({ details }) => details.troubles.map(({ what }) => what));
  const series = samples
    .filter(({ name }) => name === "pulsar_ts_io_trouble_seconds")
    .map(({ labels }) => labels["what"]);
  expect(series.sort()).toEqual([...troubles].sort());
  const last = instances.flatMap(({ status }) => status.latestSystemExceptions).at(-1);
  return {
    health: answers.health as Shown["health"],
    ready: answers.ready as Shown["ready"],
    states: instances.map(({ details }) => details.state),
    troubles,
    exception: last?.exceptionString,
    lag: instances.some(({ details }) => details.lagMs !== undefined) ? "known" : "unknown",
    readySeries: samples
      .filter(({ name }) => name === "pulsar_ts_io_ready")
      .map(({ value }) => value as 0 | 1),
  };
}

function expected({ log: _, page: __, alerts: ___, exception, ...rest }: Shown): object {
  return { ...rest, exception: exception === undefined ? undefined : expect.stringContaining(exception) };
}

describe("every surface tells the truth", () => {
  it.each(faults)("$name", { timeout: 120_000 }, async ({ run: options = {}, begin, end, shown }: Fault) => {
    const logger = new RecordingLogger();
    await using run = new TruthRun(options, logger);
    run.start();
    await run.pass(lookMs);
    const before = logger.lines.length;
    if (process.env["TRUTH_DEBUG"]) console.log("BEFORE", (await run.look()).readyReason);
    const states = shown.states.map(() => "running");
    expect(seen(await run.look())).toMatchObject({ health: 200, ready: 200, states, troubles: [] });
    begin(run);
    await run.pass(lookMs);
    const during = await run.look();
    if (process.env["TRUTH_DEBUG"]) {
      console.log(JSON.stringify({ s: seen(during), why: during.readyReason, t: during.status.instances.map((i) => i.details.troubles) }, null, 1));
      console.log(logger.lines.slice(before).filter((l) => l.level !== "debug").map((l) => `${l.level} ${l.message} ${l.fields["err"] ?? ""}`).join("\n"));
    }
    expect(seen(during)).toEqual(expected(shown));
    if (shown.log !== undefined) expect(logger.messages().slice(before)).toContain(shown.log);
    if (end === undefined) return;
    end(run);
    await run.pass(lookMs);
    const after = seen(await run.look());
    expect(after).toMatchObject({ health: 200, ready: 200, states, troubles: [], readySeries: well.readySeries });
  });
});
