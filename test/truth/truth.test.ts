import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Browser, describeWithBrowser } from "../../runtime/test/support/browser.ts";
import { parseExposition } from "../../runtime/test/support/exposition.ts";
import { type Fault, faults, type Shown, well } from "./faults.ts";
import { alertFindings, Scrapes, scrapeSeconds } from "./scrapes.ts";
import { type Answers, TruthRun } from "./truth-run.ts";

const lookMs = 30_000;
/** From the look at the fault until the alerts are looked at. */
const lastsMs = 360_000;
const longStepMs = 2_500;
const docs = new URL("../../docs/observability.md", import.meta.url);
const table = /(?<=<!-- truth table: generated -->\n).*?(?=<!-- end of the truth table -->)/s;

/** What is seen of a fault, beside what has an expectation. */
interface Seen {
  readonly readyReason: string;
  readonly exception: string | undefined;
  readonly failing: readonly string[];
}

/** What the answers show, in the form of what is expected of them. */
function seen(answers: Answers): Omit<Shown, "log" | "page" | "alerts"> {
  const { instances } = answers.status;
  const samples = parseExposition(answers.metrics);
  const troubles = instances.flatMap(({ details }) => details.troubles.map(({ what }) => what));
  const series = samples.flatMap(({ name, labels }) =>
    name === "pulsar_ts_io_trouble_seconds" ? [labels["what"]] : [],
  );
  expect(series.sort()).toEqual([...troubles].sort());
  const last = instances.flatMap(({ status }) => status.latestSystemExceptions).at(-1);
  return {
    health: answers.health === 200 ? 200 : 503,
    ready: answers.ready === 200 ? 200 : 503,
    states: instances.map(({ details }) => details.state),
    troubles,
    exception: last?.exceptionString,
    lag: instances.some(({ details }) => details.lagMs !== undefined) ? "known" : "unknown",
    readySeries: samples.flatMap(({ name, value }) =>
      name === "pulsar_ts_io_ready" ? [value === 1 ? 1 : 0] : [],
    ),
  };
}

function expected({ log: _, page: __, alerts: ___, exception, ...rest }: Shown): object {
  return { ...rest, exception: exception === undefined ? undefined : expect.stringContaining(exception) };
}

describeWithBrowser("each surface during each fault", (program) => {
  const seenOf = new Map<string, Seen>();
  const alertTests: object[] = [];
  let browser: Browser;

  beforeAll(async () => {
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"]) vi.stubEnv(name, undefined);
    browser = await Browser.open(program);
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await browser[Symbol.asyncDispose]();
  });

  async function page(run: TruthRun): Promise<{ state: unknown; failing: unknown; lag: unknown }> {
    await browser.show(await run.url(), { width: 1_100, height: 900, scheme: "light" });
    await browser.until('document.querySelector("#tiles strong") !== null');
    const failing = '[...document.querySelectorAll("#troubles li strong")].map((item) => item.textContent)';
    return {
      state: await browser.evaluate('document.querySelector("#state").textContent'),
      failing: await browser.evaluate(failing),
      lag: await browser.evaluate(
        'document.querySelectorAll("#tiles strong")[1].textContent === "unknown" ? "unknown" : "known"',
      ),
    };
  }

  it.each(faults)("are true within 30 s: $name", { timeout: 180_000 }, async (fault: Fault) => {
    const { run: options = {}, begin, end, shown } = fault;
    const logger = new RecordingLogger();
    await using run = new TruthRun(options, logger);
    const scrapes = new Scrapes(run.clock.now());
    const scrape = async (ms: number, stepMs?: number) => {
      for (let left = ms; left > 0; left -= scrapeSeconds * 1_000) {
        await run.pass(scrapeSeconds * 1_000, stepMs);
        scrapes.add((await run.look()).metrics);
      }
    };
    run.start();
    await scrape(lookMs);
    const states = shown.states.map(() => "running");
    const healthy = { health: 200, ready: 200, states, troubles: [], readySeries: states.map(() => 1) };
    expect(seen(await run.look())).toMatchObject(healthy);
    const before = logger.lines.length;
    await begin(run);
    await scrape(lookMs);
    const during = await run.look();
    expect(seen(during)).toEqual(expected(shown));
    expect(await page(run)).toEqual({ state: shown.page, failing: shown.troubles, lag: shown.lag });
    const lines = logger.lines.slice(before).filter(({ level }) => level === "warn" || level === "error");
    if (shown.log !== undefined) expect(lines.map(({ message }) => message)).toContain(shown.log);
    seenOf.set(fault.name, {
      readyReason: during.readyReason,
      exception: seen(during).exception,
      failing: during.status.instances.flatMap(({ details }) =>
        details.troubles.map(({ what, blocking }) => (blocking ? `**${what}**` : what)),
      ),
    });
    await scrape(lastsMs, longStepMs);
    alertTests.push(scrapes.test(fault.name, shown.alerts));
    if (end === undefined) return;
    end(run);
    await run.pass(lookMs);
    expect(seen(await run.look())).toMatchObject(healthy);
    expect((await page(run)).state).toBe(well.page);
  });

  const promtool = spawnSync("promtool", ["--version"]).status === 0;
  if (!promtool && process.env["CI"] === "true") throw new Error("there is no promtool to test alerts with");

  it.skipIf(!promtool)(
    "are followed by the right alerts, by Prometheus' own rule tests",
    {
      timeout: 120_000,
    },
    () => {
      expect(alertFindings(alertTests)).toBe("");
      expect(alertTests).toHaveLength(faults.length);
    },
  );

  it("are in docs/observability.md as they were seen (`npm run truth` writes them)", () => {
    const text = readFileSync(docs, "utf8");
    const rows = faults.map((fault) => row(fault, seenOf.get(fault.name)));
    const written = `\n${heading}${rows.join("")}\n`;
    if (process.env["PULSAR_TS_IO_WRITE_TRUTH"] === "true")
      writeFileSync(
        docs,
        text.replace(table, () => written),
      );
    else expect(table.exec(text)?.[0]).toBe(written);
  });
});

const columns = [
  "Fault",
  "Log",
  "`/health`",
  "`/ready`",
  "`/status`: state, troubles",
  "Last of `latestSystemExceptions`",
  "Page",
  "Metrics",
  "Alerts",
];
const heading = `| ${columns.join(" | ")} |\n|${"---|".repeat(columns.length)}\n`;

function row(
  { name, shown }: Fault,
  { readyReason = "", exception, failing = [] }: Partial<Seen> = {},
): string {
  const ready = shown.readySeries.map((value) => `\`pulsar_ts_io_ready\` ${value}`);
  const troubles = shown.troubles.map((what) => `\`trouble_seconds{what="${what}"}\``);
  const lag = shown.lag === "unknown" ? ["lag absent"] : [];
  const cells = [
    name,
    shown.log ?? "–",
    String(shown.health),
    `${shown.ready}: ${readyReason}`,
    [shown.states.join(", "), ...failing].join("; "),
    exception ?? "–",
    [
      `*${shown.page}*`,
      ...(failing.length > 0 ? [`failing now: ${shown.troubles.join(", ")}`] : []),
      `lag ${shown.lag}`,
    ].join("; "),
    [...ready, ...troubles, ...lag].join(", "),
    shown.alerts.length === 0 ? "–" : shown.alerts.join(", "),
  ];
  return `| ${cells.map(shownCell).join(" | ")} |\n`;
}

/** What differs from run to run is left out. */
function shownCell(text: string): string {
  return text
    .replaceAll("|", "\\|")
    .replaceAll(/shardId-\d+/g, "shardId-…")
    .replaceAll(/\b\d+ s\b/g, "… s");
}
