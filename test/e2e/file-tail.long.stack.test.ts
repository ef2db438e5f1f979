import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PulsarAdmin, readTopic, readTopicToEnd, type TopicMessage } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { NewConnector } from "../harness/new-connector.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const example = fileURLToPath(new URL("../examples/file-tail", import.meta.url));
const names = ["a", "b", "c"];

describeWithStack("the example of the guide for authors", ({ pulsarServiceUrl, pulsarAdminUrl }) => {
  let connector: NewConnector;

  beforeAll(async () => {
    connector = await NewConnector.create("file-tail", "pull");
    await connector.replaceWith(example);
    await connector.script("lint");
    await connector.script("package");
  });

  afterAll(async () => {
    await connector[Symbol.asyncDispose]();
  });

  /** Starts it as a user does: from its directory, or from its archive. */
  function run(from: "directory" | "archive", run: Run): Cli {
    const where =
      from === "directory"
        ? ["--connector", connector.folder]
        : ["--archive", join(connector.folder, "file-tail-1.0.0.tgz")];
    const config = { directory: run.directory, pollIntervalMs: 50, checkpointIntervalMs: 20 };
    const options = [
      "--source-config",
      JSON.stringify(config),
      "--state-store",
      `file:${run.directory}/state`,
    ];
    const to = [
      "--broker-service-url",
      pulsarServiceUrl,
      "--web-service-url",
      pulsarAdminUrl,
      "--destination-topic-name",
      run.topic,
    ];
    const guarantee = ["--processing-guarantees", run.guarantee];
    const env = { PULSAR_TS_IO_CACHE: join(connector.folder, "cache") };
    return new Cli(["run", ...where, ...options, ...to, ...guarantee], { env });
  }

  it.each(["ATLEAST_ONCE", "EFFECTIVELY_ONCE"] as const)(
    "loses no line when it is killed, and repeats none after a clean stop, with %s",
    async (guarantee) => {
      const job = await prepare(guarantee);
      const files = new GrowingFiles(job.directory);
      await using seen = new Seen(pulsarServiceUrl, job.topic);
      for (const from of ["directory", "archive"] as const) {
        const soFar = seen.values.size;
        await using killed = run(from, job);
        await files.growUntil(() => running(killed) && seen.values.size > soFar + 1_000);
        await killed.crash();
      }
      {
        await using stopped = run("archive", job);
        await seen.all(files, stopped);
        expect(await stopped.stop(), stopped.output).toMatchObject({ code: 0 });
      }
      const before = (await readTopicToEnd({ serviceUrl: pulsarServiceUrl, topic: job.topic })).length;
      await files.grow(1);
      await using last = run("archive", job);
      await seen.all(files, last);
      expect(await last.stop(), last.output).toMatchObject({ code: 0 });
      const messages = await readTopicToEnd({ serviceUrl: pulsarServiceUrl, topic: job.topic });
      expect(messages).toHaveLength(before + names.length);
      for (const name of names) expect(firstOf(name, messages)).toEqual(files.lines(name));
      if (guarantee === "EFFECTIVELY_ONCE") expect(messages).toHaveLength(files.count);
    },
  );

  it("is tried out with dev, where each run has a state of its own", async () => {
    await using cli = new Cli(["dev", connector.folder]);
    await eventually("its own README, line by line", () => cli.output.includes("content:# file-tail"));
    expect(await cli.stop()).toMatchObject({ code: 0 });
  });

  async function prepare(guarantee: string): Promise<Run> {
    const namespace = `public/${uniqueName("file-tail")}`;
    const admin = new PulsarAdmin(pulsarAdminUrl);
    await admin.createNamespace(namespace);
    if (guarantee === "EFFECTIVELY_ONCE") await admin.setDeduplication(namespace, true);
    const directory = join(connector.folder, namespace);
    await mkdir(directory, { recursive: true });
    return { directory, topic: `persistent://${namespace}/lines`, guarantee };
  }
});

interface Run {
  readonly directory: string;
  readonly topic: string;
  readonly guarantee: string;
}

/** Files that are written to while they are followed. */
class GrowingFiles {
  readonly #directory: string;
  /** Of each of them. */
  #lineCount = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Lines of all of them. */
  get count(): number {
    return names.length * this.#lineCount;
  }

  lines(name: string, first = 0): readonly string[] {
    return Array.from({ length: this.#lineCount - first }, (_, index) => `line ${first + index} of ${name}`);
  }

  async grow(count: number): Promise<void> {
    const first = this.#lineCount;
    this.#lineCount += count;
    for (const name of names) {
      await appendFile(join(this.#directory, `${name}.log`), `${this.lines(name, first).join("\n")}\n`);
    }
  }

  async growUntil(condition: () => boolean): Promise<void> {
    await eventually("enough lines in the topic", async () => {
      await this.grow(100);
      return condition();
    });
  }
}

/** What Pulsar's Java client reads meanwhile. */
class Seen implements AsyncDisposable {
  readonly values = new Set<string>();
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(serviceUrl: string, topic: string) {
    this.#reading = this.#read(serviceUrl, topic);
  }

  async all(files: GrowingFiles, cli: Cli): Promise<void> {
    await eventually(`${files.count} lines`, () => running(cli) && this.values.size >= files.count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("seen enough"));
    await this.#reading.catch(() => undefined);
  }

  async #read(serviceUrl: string, topic: string): Promise<void> {
    const { signal } = this.#stop;
    for await (const { value } of readTopic({ serviceUrl, topic, idleMs: 0, signal }))
      this.values.add(String(value));
  }
}

function running(cli: Cli): boolean {
  if (!cli.running) throw new Error(`the run ended: ${cli.output}`);
  return true;
}

/** The lines of one file, each where it came first. */
function firstOf(file: string, messages: readonly TopicMessage[]): readonly string[] {
  return [...new Set(messages.filter(({ key }) => key === file).map(({ value }) => String(value)))];
}
