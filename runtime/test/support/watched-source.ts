import { silentLogger } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { HttpServer } from "../../src/observe/http/http-server.ts";
import { sourcePages } from "../../src/observe/http/pages.ts";
import { SourceMonitor } from "../../src/observe/source-monitor.ts";
import type { SourceDescription } from "../../src/observe/source-status.ts";
import type { InstanceReport } from "../../src/supervise/instance-report.ts";

/** A source whose reports the test makes, served as a real one is. Disposing ends that. */
export class ServedSource implements AsyncDisposable {
  readonly clock: TestClock = new TestClock({ startMs: Date.UTC(2026, 2, 5, 13, 0) });
  reports: readonly InstanceReport[] = [];
  readonly #ended = new AbortController();
  #server: HttpServer | undefined;
  #watching: Promise<void> = Promise.resolve();

  async open(source: Partial<SourceDescription> = {}): Promise<string> {
    const identity = { tenant: "public", namespace: "default", name: "orders" };
    const description: SourceDescription = {
      ...identity,
      connector: "wells",
      version: "0.1.0",
      topic: "persistent://public/default/orders",
      processingGuarantees: "ATLEAST_ONCE",
      startTime: this.clock.now() - 7_200_000,
      configs: {},
      ...source,
    };
    const host = { clock: this.clock, logger: silentLogger };
    const watched = { reports: () => Promise.resolve(this.reports) };
    const monitor = new SourceMonitor(watched, { ...identity, cluster: "local" }, host);
    this.#server = await HttpServer.listen({ port: 0, host: "127.0.0.1", names: [] }, silentLogger);
    this.#server.show(sourcePages(monitor, { source: description, workerId: "w" }));
    this.#watching = monitor.run(this.#ended.signal);
    return this.#server.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error("the test has ended"));
    await this.#watching;
    await this.#server?.[Symbol.asyncDispose]();
  }
}
