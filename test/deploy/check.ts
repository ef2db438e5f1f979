import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { preparePython } from "@pulsar-ts-io/testkit";
import { validate } from "dockerfile-utils";
import { runScript, say } from "../demo/script.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
/** What `create` puts into a new connector: as it is, for it says nothing of the connector's name. */
const workflowOfConnectors = "packages/create-pulsar-ts-io/template/common/_github/workflows/ci.yaml";
const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";
/** The newest release of Kubernetes that managed services had when this was written. */
const kubernetes = "v1.35.0";

/** Severities of the language server protocol. */
const error = 1;
const warning = 2;

await runScript(async (signal) => {
  const findings = [...(await dockerfile()), ...(await workflows(signal)), ...(await filesOfOthers(signal))];
  for (const finding of findings) say(finding);
  if (findings.length > 0) throw new Error(`${findings.length} findings`);
  say(
    "workflows, Dockerfile, compose.yaml, manifests, alert rules and dashboard are as their readers want them",
  );
});

async function dockerfile(): Promise<string[]> {
  const text = await readFile(join(root, "Dockerfile"), "utf8");
  return validate(text)
    .filter(({ severity }) => severity === error || severity === warning)
    .map(({ message, range }) => `Dockerfile:${range.start.line + 1}: ${message}`);
}

async function workflows(signal: AbortSignal): Promise<string[]> {
  const check = ["run", actionlint, "-shellcheck=", "-pyflakes="];
  const ours = await findingsOf("go", check, root, signal);
  return [...ours, ...(await findingsOf("go", [...check, workflowOfConnectors], root, signal))];
}

async function filesOfOthers(signal: AbortSignal): Promise<string[]> {
  const packages = {
    name: "kubernetes-schemas",
    requirements: join(here, "requirements.txt"),
    title: "the schemas of Kubernetes from PyPI",
  };
  const python = await preparePython(packages, { report: say, signal });
  const found = await findingsOf(
    python,
    ["-c", "import importlib.util as u; print(u.find_spec('kubernetes_validate').origin)"],
    here,
    signal,
    0,
  );
  const schemas = join(dirname(found[0] ?? ""), "kubernetes-json-schema", `${kubernetes}-local-strict`);
  return await findingsOf("go", ["run", ".", root, schemas], here, signal);
}

/** The lines that a check prints: findings. @throws when it fails without one. */
async function findingsOf(
  command: string,
  args: readonly string[],
  cwd: string,
  signal: AbortSignal,
  expected?: number,
): Promise<string[]> {
  const child = spawn(command, args, { cwd, signal, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code] = (await once(child, "close")) as [number | null]; // by Node's documentation
  const lines = output.split("\n").filter((line) => line !== "");
  const failed = expected === undefined ? code !== 0 && lines.length === 0 : code !== expected;
  if (failed) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return lines;
}
