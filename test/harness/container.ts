import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { DockerEngine } from "@pulsar-ts-io/testkit";

export interface ContainerExit {
  readonly code: number;
  readonly outOfMemory: boolean;
  /** Milliseconds that the stop took. */
  readonly stopMs: number;
}

/** A container of the project's image with its HTTP port on this machine. Disposing removes it. */
export class Container implements AsyncDisposable {
  readonly id: string;
  readonly url: string;
  readonly #engine: DockerEngine;

  private constructor(engine: DockerEngine, id: string, port: number) {
    this.#engine = engine;
    this.id = id;
    this.url = `http://127.0.0.1:${port}/`;
  }

  /**
   * @param flags of `docker run`.
   * @param args of `pulsar-ts-io`.
   */
  static async run(
    engine: DockerEngine,
    image: string,
    { flags, args }: { readonly flags: readonly string[]; readonly args: readonly string[] },
  ): Promise<Container> {
    const port = await freePort();
    const network = ["--network", "host", "--env", `PULSAR_TS_IO_HTTP_PORT=${port}`];
    const id = await engine.docker(["run", "--detach", ...network, ...flags, image, ...args]);
    return new Container(engine, id, port);
  }

  /** The status of `path`, asked until it is `status`; the last one when that never comes. */
  async answers(path: string, status: number, withinMs = 60_000): Promise<number | string> {
    let last: number | string = "no answer";
    for (const until = Date.now() + withinMs; Date.now() < until && last !== status; await sleep(200)) {
      last = await fetch(`${this.url}${path}`).then(
        (response) => response.status,
        (error: unknown) => String(error),
      );
      if (last !== status && !(await this.running()))
        return `${last}, and the container ended: ${await this.logs()}`;
    }
    return last;
  }

  async running(): Promise<boolean> {
    return (await this.inspect("{{.State.Running}}")) === "true";
  }

  inspect(format: string): Promise<string> {
    return this.#engine.docker(["inspect", "--format", format, this.id]);
  }

  /** Waits until the engine's own health check says `healthy`. */
  async health(withinMs = 60_000): Promise<string> {
    let last = "";
    for (const until = Date.now() + withinMs; Date.now() < until && last !== "healthy"; await sleep(500)) {
      last = await this.inspect("{{.State.Health.Status}}");
    }
    return last;
  }

  /** Waits until what `path` answers matches. */
  async shows(path: string, pattern: RegExp, withinMs = 60_000): Promise<boolean> {
    for (const until = Date.now() + withinMs; Date.now() < until; await sleep(200)) {
      const text = await fetch(`${this.url}${path}`).then(
        (response) => response.text(),
        () => "",
      );
      if (pattern.test(text)) return true;
    }
    return false;
  }

  /** Waits until a text is in the outputs. */
  async logsShow(text: string, withinMs = 60_000): Promise<boolean> {
    for (const until = Date.now() + withinMs; Date.now() < until; await sleep(200)) {
      if ((await this.logs()).includes(text)) return true;
    }
    return false;
  }

  /** The end of both outputs. */
  async logs(): Promise<string> {
    return (await this.#engine.docker(["logs", this.id], { withErrors: true })).slice(-4_000);
  }

  /** `docker stop` with this grace period, seconds. */
  async stop(graceSeconds: number): Promise<ContainerExit> {
    const started = performance.now();
    await this.#engine.docker(["stop", "--time", String(graceSeconds), this.id]);
    const stopMs = performance.now() - started;
    const [code, outOfMemory] = (await this.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}")).split(" ");
    return { code: Number(code), outOfMemory: outOfMemory === "true", stopMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.docker(["rm", "--force", "--volumes", this.id]);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
