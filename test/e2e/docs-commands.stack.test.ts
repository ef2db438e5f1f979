import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { awsTestCredentials } from "../harness/cli.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { describeWithStack, type RunningStack } from "../stack.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "runtime/bin/pulsar-ts-io.js");
/** What a reader puts in, and what is for a machine of his. */
const notToRun =
  /\bNAME\b|<\w+>|\bcreate\b|\bdev\b|my-source|my-connector|\.tgz|systemctl|^pulsar-ts-io status/;

/** The commands that a reader would type, each as it stands in a block of shell. */
async function commandsOf(page: string): Promise<string[]> {
  const text = await readFile(join(root, page), "utf8");
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    [...block.matchAll(/^(?:npx )?(pulsar-ts-io (?:'[^']*'|\\\n|[^\n'])*)/gm)].map(([, command = ""]) =>
      command.replace(/\s+#.*/, ""),
    ),
  );
}

async function pages(): Promise<string[]> {
  const docs = (await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md"));
  const connectors = await readdir(join(root, "connectors"));
  return [
    "README.md",
    "runtime/README.md",
    ...docs.map((name) => `docs/${name}`),
    ...connectors.map((name) => `connectors/${name}/README.md`),
  ];
}

const commands = new Set((await Promise.all((await pages()).map(commandsOf))).flat());

describeWithStack("a command of the documents", (stack) => {
  let folder: string;
  let stream: KinesisStream;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "docs-commands-"));
    const shim = join(folder, "pulsar-ts-io");
    await writeFile(shim, `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
    await chmod(shim, 0o755);
    const [, yaml = ""] =
      /```yaml\n# kinesis\.yaml\n([\s\S]*?)```/.exec(await readFile(join(root, "README.md"), "utf8")) ?? [];
    // Fan-out and CloudWatch are more than the local stack has.
    await writeFile(
      join(folder, "kinesis.yaml"),
      `${yaml}useEnhancedFanOut: false\ncloudwatchMetricsLevel: NONE\n`,
    );
    stream = await KinesisStream.create(stack.kinesisEndpoint, "my-stream", 1);
  });

  afterAll(async () => {
    await stream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it("is found at all", () => {
    expect(commands.size).toBeGreaterThan(8);
  });

  it.each([...commands].filter((command) => !notToRun.test(command)))(
    "does what it is there for: %s",
    async (command) => {
      const { code, output } = await outcome(command, folder, stack);
      expect(code, output).toBe(0);
    },
  );
});

/** Runs it in a shell, as it stands, on the local stack; whatever would run for ever is stopped once it reads. */
async function outcome(
  command: string,
  cwd: string,
  stack: RunningStack,
): Promise<{ readonly code: number | null; readonly output: string }> {
  // There is no terminal to answer at.
  const answered = command.includes(" reset ") ? `${command} --yes` : command;
  const text = answered.replaceAll("pulsar://localhost:6650", stack.pulsarServiceUrl);
  const child = spawn("sh", ["-c", `exec ${text}`], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...awsTestCredentials,
      PATH: [cwd, process.env["PATH"]].join(delimiter),
      HOME: cwd,
      MY_KEY: "test",
      MY_SECRET: "test",
      AWS_ENDPOINT_URL_KINESIS: stack.kinesisEndpoint,
      AWS_ENDPOINT_URL_DYNAMODB: stack.dynamoEndpoint,
      PULSAR_TS_IO_BROKER_SERVICE_URL: stack.pulsarServiceUrl,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (chunk.includes("source opened, reading")) child.kill("SIGTERM");
    });
  }
  const [code] = (await once(child, "close")) as [number | null]; // by Node's documentation
  return { code, output };
}
