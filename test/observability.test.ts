import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parser } from "@prometheus-io/lezer-promql";
import { silentLogger, systemClock } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ProducerMetrics } from "../packages/pulsar/src/producer/producer-metrics.ts";
import { measure } from "../runtime/src/cli/measure.ts";
import { InstanceContext } from "../runtime/src/instance/instance-context.ts";
import { SourceMonitor } from "../runtime/src/observe/source-monitor.ts";
import { metadataOf, parseExposition } from "../runtime/test/support/exposition.ts";
import { ListSource } from "../runtime/test/support/list-source.ts";
import { report, trouble } from "../runtime/test/support/report.ts";
import { startInstance } from "../runtime/test/support/start-instance.ts";
import { StepTransport } from "../runtime/test/support/step-transport.ts";

const file = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** All that a source of any kind tells Prometheus. */
async function allMetrics(): Promise<string> {
  const { meter, metrics } = measure(true, systemClock, 1);
  new ProducerMetrics(meter, "persistent://public/default/out", undefined);
  const source = new ListSource([]);
  const { clock, stop, ended } = startInstance(source, new StepTransport(), { meter });
  await clock.settle();
  expect(source.context).toBeInstanceOf(InstanceContext);
  source.context?.recordMetric("depth", 1);
  stop.abort();
  await ended;
  const error = { message: "[E]: no", atMs: 1 };
  const watched = report({
    counts: { lagMs: 1 },
    partitions: [{ id: "a", lagMs: 1, checkpointAgeMs: 1 }],
    troubles: [trouble()],
    systemErrors: [error],
    sourceErrors: [error],
    metrics: await metrics.families(),
  });
  const identity = { tenant: "public", namespace: "default", name: "orders", cluster: "local" };
  const reports = () => Promise.resolve([watched]);
  return await new SourceMonitor({ reports }, identity, {
    clock: systemClock,
    logger: silentLogger,
  }).metrics();
}

const text = await allMetrics();
const families = [...metadataOf(text, "TYPE").keys()];
const samples = parseExposition(text);
const series = new Set(samples.map(({ name }) => name));
/** What the Kinesis source adds. */
const ofKinesis = new Set(
  [...file("connectors/kinesis/README.md").matchAll(/^\| `(pulsar_ts_io_kinesis_\w+)` \|/gm)].map(
    ([, name = ""]) => name,
  ),
);

/** `{a,b}` spelled out. */
function spelledOut(name: string): string[] {
  const [, before = "", choices, after = ""] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(name) ?? [];
  return choices === undefined ? [name] : choices.split(",").map((choice) => `${before}${choice}${after}`);
}

/** The metrics that an expression names, and the labels that it chooses, matches or groups by. @throws when it is no PromQL. */
function namesIn(expression: string): {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
} {
  // What Grafana replaces, as it would.
  const query = expression.replaceAll("$__rate_interval", "5m");
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(query).iterate({
    enter: ({ type, name, from, to }) => {
      if (type.isError) throw new Error(`no PromQL: ${query}, at ${from}`);
      if (name === "VectorSelector") metrics.push(/^[\w:]+/.exec(query.slice(from, to))?.[0] ?? "");
      if (name === "LabelName") labels.push(query.slice(from, to));
    },
  });
  if (metrics.length === 0) throw new Error(`it names no metric: ${query}`);
  return { metrics, labels };
}

/** @param templates what shows labels of the result: `{{fqfn}}` to Grafana, `{{ $labels.fqfn }}` to Prometheus. */
function expectToBeThere(expression: string, templates: readonly string[]): void {
  const { metrics, labels } = namesIn(expression);
  const shown = templates.flatMap((template) =>
    [...template.matchAll(/\{\{ ?(?:\$labels\.)?([a-z]\w*)/g)].map(([, label = ""]) => label),
  );
  for (const metric of metrics.filter((name) => !ofKinesis.has(name))) {
    expect(series).toContain(metric);
    const known = samples
      .filter(({ name }) => name === metric)
      .flatMap((sample) => Object.keys(sample.labels));
    for (const label of [...labels, ...shown])
      expect([metric, known]).toEqual([metric, expect.arrayContaining([label])]);
  }
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] };
}

interface Alerts {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe("docs/observability.md", () => {
  const named = new Set(
    [...file("docs/observability.md").matchAll(/`(pulsar_[\w{},]+)`/g)].flatMap(([, name = ""]) =>
      spelledOut(name),
    ),
  );

  it("names every metric that a source tells, and no other", () => {
    const own = families.filter((name) => name.startsWith("pulsar_") && !name.endsWith("_created"));
    expect([...named].sort()).toEqual(own.sort());
  });

  it("says of each what type it is", () => {
    const types = metadataOf(text, "TYPE");
    for (const [, cell = "", type] of file("docs/observability.md").matchAll(
      /^\| (`pulsar_[^|]*) \| (\w+) \|/gm,
    )) {
      for (const [, name = ""] of cell.matchAll(/`([^`]+)`/g)) {
        for (const one of spelledOut(name)) expect([one, types.get(one)]).toEqual([one, type]);
      }
    }
  });
});

describe("connectors/kinesis/README.md", () => {
  it("names every metric that the Kinesis source adds, and no other", () => {
    const folder = new URL("../packages/kinesis-consumer/src/", import.meta.url);
    const named = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => [
        ...readFileSync(new URL(path, folder), "utf8").matchAll(/"(pulsar_ts_io_kinesis_\w+)"/g),
      ])
      .map(([, name = ""]) => name);
    expect([...ofKinesis].sort()).toEqual([...new Set(named)].sort());
  });
});

describe("dashboards/grafana-sources.json", () => {
  const dashboard: Dashboard = JSON.parse(file("dashboards/grafana-sources.json"));
  const expressions = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat = "" }) => ({ title, expr, legendFormat })),
  );

  it.each(expressions)("asks in $title for what there is", ({ expr, legendFormat }) => {
    expectToBeThere(expr, [legendFormat]);
  });

  it("chooses among sources by what there is", () => {
    const queries = dashboard.templating.list.filter(({ type }) => type === "query");
    const names = queries.map(({ definition = "" }) => /^label_values\((\w+)/.exec(definition)?.[1] ?? "");
    expect(names).toHaveLength(2);
    for (const name of names) expect(series).toContain(name);
  });
});

interface AlertTests {
  readonly tests: readonly {
    readonly promql_expr_test: readonly {
      readonly exp_samples: readonly { readonly labels: string }[];
    }[];
  }[];
}

describe("dashboards/prometheus-alerts.yaml", () => {
  const { groups }: Alerts = parse(file("dashboards/prometheus-alerts.yaml"));
  const rules = groups.flatMap((group) => group.rules);
  const headings = new Set(
    [...file("docs/operating.md").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(" ", "-"),
    ),
  );

  it.each(rules)("$alert watches what there is, and says what is wrong", ({ expr, labels, annotations }) => {
    // Labels of a group or a selector may belong to one metric of several: promtool evaluates those.
    expectToBeThere(expr, Object.values(annotations));
    expect(["warning", "critical"]).toContain(labels["severity"]);
    expect(Object.keys(annotations).sort()).toEqual(["description", "runbook_url", "summary"]);
  });

  it.each(rules)("$alert has a section in the runbook", ({ alert, annotations }) => {
    expect(annotations["runbook_url"]).toBe(`docs/operating.md#${alert.toLowerCase()}`);
    expect(headings).toContain(alert.toLowerCase());
  });

  it("has a case for each alert in which it fires", () => {
    const { tests }: AlertTests = parse(file("dashboards/prometheus-alerts.test.yaml"));
    const fired = tests.flatMap((test) =>
      test.promql_expr_test.flatMap((look) => look.exp_samples.map(({ labels }) => labels)),
    );
    expect([...new Set(fired)].sort()).toEqual(rules.map(({ alert }) => `{alertname="${alert}"}`).sort());
  });

  const promtool = spawnSync("promtool", ["--version"]).status === 0;
  if (!promtool && process.env["CI"] === "true") throw new Error("there is no promtool to test alerts with");

  it.skipIf(!promtool)(
    "fires each alert in its case, and no other, by Prometheus' own rule tests",
    {
      timeout: 120_000,
    },
    () => {
      const cases = fileURLToPath(new URL("../dashboards/prometheus-alerts.test.yaml", import.meta.url));
      const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", cases], {
        encoding: "utf8",
      });
      expect(`${stdout}${stderr}`).toContain("SUCCESS");
      expect(status).toBe(0);
    },
  );

  it.skipIf(!promtool)("has rule tests that notice a changed threshold", { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "pulsar-ts-io-alerts-"));
    try {
      const changed = file("dashboards/prometheus-alerts.yaml").replace("> 300", "> 3000");
      writeFileSync(join(folder, "prometheus-alerts.yaml"), changed);
      const cases = join(folder, "prometheus-alerts.test.yaml");
      writeFileSync(cases, file("dashboards/prometheus-alerts.test.yaml"));
      const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", cases], {
        encoding: "utf8",
      });
      expect(status).not.toBe(0);
      expect(`${stdout}${stderr}`).toContain("PulsarSourceLagging");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
