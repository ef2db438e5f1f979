import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PulsarAdmin, readTopicToEnd, type TopicMessage } from "@pulsar-ts-io/testkit";
import { type RunningStack, uniqueName } from "../stack.ts";
import { Cli } from "./cli.ts";
import { eventually } from "./eventually.ts";
import { withFlags } from "./flags.ts";

const archive = fileURLToPath(new URL("../../runtime/test/fixtures/numbered", import.meta.url));

/** The connector `numbered` of the runtime's tests, a namespace of its own, and a topic in it. */
export class NumberedSource {
  readonly admin: PulsarAdmin;
  readonly namespace: string = `public/${uniqueName("numbered")}`;
  readonly stateFile: string = join(mkdtempSync(join(tmpdir(), "numbered-")), "state.json");
  readonly #stack: RunningStack;

  private constructor(stack: RunningStack) {
    this.#stack = stack;
    this.admin = new PulsarAdmin(stack.pulsarAdminUrl);
  }

  /** @param deduplication whether the namespace's topics deduplicate. */
  static async create(stack: RunningStack, deduplication = true): Promise<NumberedSource> {
    const source = new NumberedSource(stack);
    await source.admin.createNamespace(source.namespace);
    if (deduplication) await source.admin.setDeduplication(source.namespace, true);
    return source;
  }

  topic(name = "records"): string {
    return `persistent://${this.namespace}/${name}`;
  }

  /** Starts the real CLI with EFFECTIVELY_ONCE; later `args` outrank the usual ones. */
  run(config: Readonly<Record<string, unknown>>, args: readonly string[] = []): Cli {
    const { pulsarServiceUrl, pulsarAdminUrl } = this.#stack;
    const usual = [
      ["--archive", archive],
      ["-o", this.topic()],
      ["--log-format", "json"],
      ["--broker-service-url", pulsarServiceUrl],
      ["--web-service-url", pulsarAdminUrl],
      ["--processing-guarantees", "EFFECTIVELY_ONCE"],
      ["--source-config", JSON.stringify({ stateFile: this.stateFile, ...config })],
    ] as const;
    return new Cli(["run", ...withFlags(usual, args)]);
  }

  /** Records that were acknowledged, all partitions together, as far as that was stored. */
  acknowledged(): number {
    try {
      const positions: Readonly<Record<string, number>> = JSON.parse(readFileSync(this.stateFile, "utf8"));
      return Object.values(positions).reduce((sum, position) => sum + position, 0);
    } catch {
      return 0; // it has stored nothing yet
    }
  }

  /** What is in the topic, by Pulsar's own client: `part-0/17`, in order for each partition of the topic. */
  async texts(topic: string = this.topic()): Promise<readonly string[]> {
    return (await this.messages(topic)).map(({ value }) => value?.toString() ?? "");
  }

  async messages(topic: string): Promise<readonly TopicMessage[]> {
    return await readTopicToEnd({ serviceUrl: this.#stack.pulsarServiceUrl, topic });
  }
}

/** Waits until `cli` has opened its source. @throws Error when it ends before that. */
export async function isReading(cli: Cli): Promise<void> {
  await eventually("the source to be opened", () => {
    if (!cli.running) throw new Error(cli.output);
    return cli.stderr.some((line) => line.includes("source opened, reading"));
  });
}

/** The texts of one partition, from the first to the last. */
export function partitionTexts(id: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${id}/${index}`);
}
