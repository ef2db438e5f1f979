import { readFileSync } from "node:fs";
import { liveness, readiness, type Verdict } from "../health.ts";
import type { SourceMonitor } from "../source-monitor.ts";
import { type SourceDescription, sourceStatus } from "../source-status.ts";
import type { Answer, Pages } from "./http-server.ts";

export interface PagesOptions {
  readonly source: SourceDescription;
  /** Who runs it. */
  readonly workerId: string;
}

const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/** Everything there is to see of a source. */
export function sourcePages(monitor: SourceMonitor, { source, workerId }: PagesOptions): Pages {
  const recordsPerSecond = (instanceId: number, partition: string) =>
    monitor.history.recordsPerSecond(instanceId, partition);
  return new Map<string, () => Answer | Promise<Answer>>([
    ["/metrics", async () => ({ contentType: metricsContentType, body: await monitor.metrics() })],
    ["/health", async () => verdict(liveness(await monitor.reports()))],
    ["/ready", async () => verdict(readiness(await monitor.reports(), monitor.now()))],
    [
      "/status",
      async () =>
        json(
          sourceStatus(await monitor.reports(), { source, workerId, recordsPerSecond, time: monitor.now() }),
        ),
    ],
    ["/history", () => json({ samples: monitor.history.samples })],
    ["/", asset("index.html", "text/html")],
    ["/status.css", asset("status.css", "text/css")],
    ...["status.js", "chart.js", "dom.js", "format.js"].map(
      (script) => [`/${script}`, asset(script, "text/javascript")] as const,
    ),
  ]);
}

function verdict({ ok, reason }: Verdict): Answer {
  return { ...json({ status: ok ? "ok" : "failing", reason }), status: ok ? 200 : 503 };
}

function json(value: unknown): Answer {
  return { contentType: "application/json; charset=utf-8", body: JSON.stringify(value) };
}

/** A file that is the same for everyone. It is where it is seen from `src` as from `dist`. */
function asset(name: string, type: string): () => Answer {
  const body = readFileSync(new URL(`../../../assets/status-page/${name}`, import.meta.url), "utf8");
  return () => ({ contentType: `${type}; charset=utf-8`, body });
}
