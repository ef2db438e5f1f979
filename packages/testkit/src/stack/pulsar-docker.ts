import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Child } from "./child.ts";
import type { PulsarPlace, PulsarRuntime } from "./pulsar-runtime.ts";
import { runCommand } from "./run-command.ts";
import { StackFetchError, StackStartError } from "./stack-errors.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** Whether a Docker engine answers. */
export async function hasDocker(options: ResolvedStackOptions): Promise<boolean> {
  return (await runCommand("docker", ["info"], options)).exitCode === 0;
}

/** Its end of the standard input is ours: when we are gone the broker is killed, and with it the container ends. */
const script = `exec 3<&0
bin/pulsar standalone --config /pulsar/conf/local-stack.conf --no-functions-worker --no-stream-storage </dev/null &
broker=$!
(cat <&3 >/dev/null; kill -9 $broker) &
wait $broker`;

/** A standalone broker in a container of Pulsar's own image; its data stays in the container until that is removed. */
export class PulsarDocker implements PulsarRuntime {
  // What Docker forwards to the container does not come from inside it.
  readonly bindAddress = "0.0.0.0";
  readonly #name: string;
  readonly #place: PulsarPlace;
  readonly #options: ResolvedStackOptions;

  private constructor(name: string, place: PulsarPlace, options: ResolvedStackOptions) {
    this.#name = name;
    this.#place = place;
    this.#options = options;
  }

  /** Fetches the image and makes the container; `place.configFile` must exist when it is started. */
  static async open(place: PulsarPlace, options: ResolvedStackOptions): Promise<PulsarDocker> {
    const name = `pulsar-ts-io-${randomUUID()}`;
    const image = `apachepulsar/pulsar:${place.version}`;
    options.report(`fetching the image ${image} unless it is there: 1 GB …`);
    const pulled = await runCommand("docker", ["pull", "--quiet", image], options);
    if (pulled.exitCode !== 0) {
      throw new StackFetchError(`the image ${image} could not be fetched: ${pulled.tail}`, {
        remedy: `see whether this works: docker pull ${image}`,
      });
    }
    const create = [
      "create",
      "--interactive",
      "--name",
      name,
      ...place.ports.flatMap((port) => ["--publish", `127.0.0.1:${port}:${port}`]),
      "--volume",
      `${place.configFile}:/pulsar/conf/local-stack.conf:ro`,
      "--env",
      `PULSAR_MEM=-Xmx${place.heapMb}m -XX:MaxDirectMemorySize=256m -XX:TieredStopAtLevel=1`,
      image,
      "sh",
      "-c",
      script,
    ];
    const created = await runCommand("docker", create, options);
    if (created.exitCode === 0) return new PulsarDocker(name, place, options);
    throw new StackStartError(`the broker's container could not be made: ${created.tail}`);
  }

  start(): Promise<Child> {
    const { folder } = this.#place;
    return Child.start("docker", ["start", "--attach", "--interactive", this.#name], {
      logFile: join(folder, "broker.log"),
      folder,
      env: this.#options.env,
      holdInput: true,
    });
  }

  async kill(child: Child): Promise<void> {
    await this.#docker("kill", this.#name);
    await child.kill();
  }

  async remove(): Promise<void> {
    await this.#docker("rm", "--force", "--volumes", this.#name);
  }

  /** Also after the signal was aborted: this is how what was started is ended. */
  async #docker(...args: readonly string[]): Promise<void> {
    const signal = new AbortController().signal;
    await runCommand("docker", args, { env: this.#options.env, signal });
  }
}
