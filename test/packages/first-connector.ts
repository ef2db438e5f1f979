import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { readTopic } from "@pulsar-ts-io/testkit";

const exec = promisify(execFile);
const recordCount = 3;

/** Where a new author stands: an empty folder, a registry, a broker. */
export interface AuthorSurroundings {
  readonly folder: string;
  /** Of every command: it names the registry. */
  readonly env: NodeJS.ProcessEnv;
  readonly serviceUrl: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** One kind of source, and how records come to it. */
export interface FirstConnector {
  readonly name: string;
  readonly kind: "pull" | "push";
  readonly config: Readonly<Record<string, unknown>>;
  /** Brings three records to the running source; answers with their values. */
  bring(folder: string): Promise<readonly string[]>;
}

/**
 * Goes the way of a new author, from an empty folder to records in a broker that Java reads, without an edit.
 *
 * @returns the milliseconds it took.
 * @throws with what the step that failed printed.
 */
export async function makeFirstConnector(connector: FirstConnector, at: AuthorSurroundings): Promise<number> {
  const { name, kind } = connector;
  await mkdir(at.folder, { recursive: true });
  const folder = join(at.folder, name);
  const startedAt = performance.now();
  const flags = kind === "pull" ? [] : ["--", "--kind", kind];
  await step(["npm", "create", "--yes", "pulsar-ts-io", name, ...flags], at.folder, at);
  await step(["npm", "install"], folder, at);
  await step(["npm", "run", "lint"], folder, at);
  await step(["npm", "run", "build"], folder, at);
  await step(["npm", "test"], folder, at);
  await step(["npx", "pulsar-ts-io", "package"], folder, at);
  await runArchive(connector, folder, at);
  return performance.now() - startedAt;
}

async function step(
  [command = "", ...args]: readonly string[],
  cwd: string,
  { env, say, signal }: AuthorSurroundings,
): Promise<void> {
  const startedAt = performance.now();
  const line = [command, ...args].join(" ");
  try {
    await exec(command, args, { cwd, env, signal });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string }; // by Node's documentation
    throw new Error(`${line}: ${stdout}${stderr}`, { cause: error });
  }
  say(`  ${seconds(performance.now() - startedAt)}  ${line}`);
}

/** Runs what was packed as its users will, until Pulsar's own client has read all of it. */
async function runArchive(connector: FirstConnector, folder: string, at: AuthorSurroundings): Promise<void> {
  const startedAt = performance.now();
  const topic = `${connector.name}-${process.pid}`;
  const args = ["run", "--archive", `${connector.name}-1.0.0.tgz`];
  const config = ["--source-config", JSON.stringify(connector.config)];
  const to = ["--broker-service-url", at.serviceUrl, "--destination-topic-name", topic];
  const running = spawn(join(folder, "node_modules/.bin/pulsar-ts-io"), [...args, ...config, ...to], {
    cwd: folder,
    env: at.env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  running.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(running, "exit");
  try {
    while (!log.includes("source opened")) {
      if (running.exitCode !== null) throw new Error(`run ended: ${log}`);
      await delay(20, undefined, { signal: at.signal });
    }
    const expected = await connector.bring(folder);
    const { serviceUrl, signal } = at;
    const seen: string[] = [];
    for await (const { value } of readTopic({ serviceUrl, topic, count: recordCount, idleMs: 0, signal }))
      seen.push(String(value));
    if (seen.join("\n") !== expected.join("\n"))
      throw new Error(`in the topic: ${seen.join(", ")}; expected: ${expected.join(", ")}`);
  } finally {
    running.kill("SIGTERM");
  }
  const [code] = await exited;
  if (code !== 0) throw new Error(`run ended with ${code}: ${log}`);
  at.say(
    `  ${seconds(performance.now() - startedAt)}  pulsar-ts-io ${args.join(" ")}, and ${recordCount} records read by Java`,
  );
}

/** Follows its own README, as its development config does. */
export const firstPullSource: FirstConnector = {
  name: "my-source",
  kind: "pull",
  config: { path: "README.md" },
  async bring(folder) {
    return (await readFile(join(folder, "README.md"), "utf8")).split("\n").slice(0, recordCount);
  },
};

/** @param port a free one. */
export function firstPushSource(port: number): FirstConnector {
  return {
    name: "my-push-source",
    kind: "push",
    config: { port },
    async bring() {
      const values = Array.from({ length: recordCount }, (_, index) => `hello ${index}`);
      for (const body of values) {
        const { status } = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
        if (status !== 204) throw new Error(`a request was answered with ${status}`);
      }
      return values;
    },
  };
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1).padStart(5)} s`;
}
