import { readFileSync } from "node:fs";
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
import { report } from "../runtime/test/support/report.ts";
import { startInstance } from "../runtime/test/support/start-instance.ts";
import { StepTransport } from "../runtime/test/support/step-transport.ts";

const file = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** All that a source of any kind tells Prometheus. */
async function allMetrics(): Promise<string> {
  const { meter, metrics } = measure(true, systemClock);
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
  for (const metric of metrics) {
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

describe("dashboards/prometheus-alerts.yaml", () => {
  const { groups }: Alerts = parse(file("dashboards/prometheus-alerts.yaml"));
  const rules = groups.flatMap((group) => group.rules);

  it.each(rules)("$alert watches what there is, and says what is wrong", ({ expr, labels, annotations }) => {
    expectToBeThere(expr, Object.values(annotations));
    expect(["warning", "critical"]).toContain(labels["severity"]);
    expect(Object.keys(annotations).sort()).toEqual(["description", "summary"]);
  });
});
