import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseExposition } from "../../runtime/test/support/exposition.ts";

/** Seconds between two scrapes. */
export const scrapeSeconds = 15;
const rules = fileURLToPath(new URL("../../dashboards/prometheus-alerts.yaml", import.meta.url));

/** What one Prometheus scraped of one run, for the alert rules. */
export class Scrapes {
  readonly #series = new Map<string, (number | undefined)[]>();
  readonly #startMs: number;
  #count = 0;

  /** @param startMs epoch milliseconds of the first scrape: promtool's time begins at 0. */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** @param text as `/metrics` has it. What belongs to the process of the test itself is left out. */
  add(text: string): void {
    for (const { name, labels, value } of parseExposition(text)) {
      if (!name.startsWith("pulsar_ts_io_") && !name.startsWith("pulsar_source_received_total")) continue;
      const isTime = name.endsWith("_timestamp_seconds") && value > 0;
      const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      const key = `${name}{${pairs.join(",")}}`;
      const values = this.#series.get(key) ?? [];
      values[this.#count] = isTime ? value - this.#startMs / 1_000 : value;
      this.#series.set(key, values);
    }
    this.#count += 1;
  }

  /** A test of promtool: these alerts fire at the last scrape, and no other. */
  test(name: string, alerts: readonly string[]): object {
    const input = [...this.#series].map(([series, values]) => ({
      series,
      values: Array.from({ length: this.#count }, (_, index) => String(values[index] ?? "_")).join(" "),
    }));
    return {
      name,
      interval: `${scrapeSeconds}s`,
      input_series: input,
      promql_expr_test: [
        {
          expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: `${(this.#count - 1) * scrapeSeconds}s`,
          exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
        },
      ],
    };
  }
}

/** What promtool says of `tests`: nothing when all alerts are as expected. */
export function alertFindings(tests: readonly object[]): string {
  const folder = mkdtempSync(join(tmpdir(), "pulsar-ts-io-truth-"));
  try {
    const file = join(folder, "truth.test.yaml");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: "15s", tests }));
    const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", file], { encoding: "utf8" });
    return status === 0 ? "" : `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
