import { type ExposedSample, parseExposition } from "../../runtime/test/support/exposition.ts";
import type { Cli } from "./cli.ts";
import { eventually } from "./eventually.ts";

/** What there is to see of a run, by path. */
export const observedPaths = [
  "/",
  "/status.js",
  "/status",
  "/metrics",
  "/health",
  "/ready",
  "/history",
] as const;

/** As much of a status as tests look at. */
export interface ObservedStatus {
  readonly numRunning: number;
  readonly instances: readonly {
    readonly instanceId: number;
    readonly status: { readonly numWritten: number; readonly numRestarts: number };
    readonly details: { readonly partitions: readonly Readonly<Record<string, unknown>>[] };
  }[];
}

/** The HTTP port of a run that was started with `--http-port 0`. */
export class ObservedRun {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  static async of(cli: Cli): Promise<ObservedRun> {
    const url = await eventually("the HTTP port", () => /"url":"(http:[^"]+)"/.exec(cli.output)?.[1]);
    return new ObservedRun(url);
  }

  /** HTTP status and body. */
  async get(path: string): Promise<{ readonly code: number; readonly body: string }> {
    const response = await fetch(new URL(path, this.#url));
    return { code: response.status, body: await response.text() };
  }

  async status(): Promise<ObservedStatus> {
    return JSON.parse((await this.get("/status")).body);
  }

  async samples(name: string): Promise<readonly ExposedSample[]> {
    const { body } = await this.get("/metrics");
    return parseExposition(body).filter((sample) => sample.name === name);
  }

  /** The sum over all its series. */
  async total(name: string): Promise<number> {
    return (await this.samples(name)).reduce((sum, { value }) => sum + value, 0);
  }
}
