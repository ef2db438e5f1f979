import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { startPulsar } from "@pulsar-ts-io/testkit";
import { runScript, say } from "../demo/script.ts";
import { byTier } from "../harness/tier.ts";
import { unusedAddress } from "../harness/unused-address.ts";
import { firstPullSource, firstPushSource, makeFirstConnector, seconds } from "./first-connector.ts";
import { InstalledApp } from "./installed-app.ts";
import { excesses, measureFootprint } from "./limits.ts";
import { LocalRegistry } from "./local-registry.ts";
import { packAndCheck, publishedFolders } from "./tarballs.ts";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** The next release line; the check itself runs on whatever runs it. */
const newerNode = "22.23.3";
/** From an empty folder to records in a broker. */
const firstConnectorMs = 300_000;
const { values: options } = parseArgs({ options: { sbom: { type: "string" } } });

await runScript(async (signal) => {
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-packages-"));
  try {
    const home = join(folder, "registry");
    await mkdir(home);
    await using registry = await LocalRegistry.start(home);
    await publishAll(registry, folder);
    await tryAsUser(registry, folder);
    await checkFootprint(registry, folder);
    await tryAsAuthor(registry, folder, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function publishAll(registry: LocalRegistry, folder: string): Promise<void> {
  for (const workspace of publishedFolders) {
    await registry.publish(await packAndCheck(workspace, folder));
    say(`${workspace}: packed, checked, published to a registry on this machine`);
  }
}

async function tryAsUser(registry: LocalRegistry, folder: string): Promise<void> {
  const names = await Promise.all(publishedFolders.map(nameOf));
  const withNpm = await InstalledApp.install("npm", names, { registry, folder: join(folder, "npm") });
  await withNpm.expectNothingToCompile();
  await withNpm.expectWholeTypes(names);
  await withNpm.expectOneCore();
  const bill = await withNpm.billOfMaterials(names);
  say(`a user of all packages installs ${bill.count} of them in all`);
  if (options.sbom !== undefined) await writeFile(options.sbom, bill.text);
  const withPnpm = await InstalledApp.install("pnpm", names, { registry, folder: join(folder, "pnpm") });
  const newer = await fetchNode(join(folder, "node"), registry);
  for (const app of [withNpm, withPnpm])
    for (const node of [process.execPath, newer])
      say(`installed with ${app.manager}, on Node ${await app.tryOut(node)}: it runs`);
  say("running the demo with the installed packages …");
  const env = { ...process.env, PULSAR_TS_IO_BIN: withNpm.bin };
  const demo = await exec(process.execPath, ["test/demo/demo.mjs", "--console"], { cwd: root, env });
  process.stdout.write(demo.stdout);
}

/** What a new author does: nothing is edited, nothing known but the guide's first lines. In the long tier with each kind of source. */
async function tryAsAuthor(registry: LocalRegistry, folder: string, signal: AbortSignal): Promise<void> {
  await using broker = await startPulsar({ report: say, signal });
  const { serviceUrl } = broker;
  const surroundings = { folder: join(folder, "author"), env: registry.env, serviceUrl, say, signal };
  const port = Number((await unusedAddress()).split(":")[1]);
  const long = [firstPullSource, firstPushSource(port)];
  for (const connector of byTier({ quick: [firstPullSource], long })) {
    say(`a ${connector.kind} source, from an empty folder to records in a broker:`);
    const ms = await makeFirstConnector(connector, surroundings);
    say(`  ${seconds(ms)}  in all, nothing edited`);
    if (ms > firstConnectorMs)
      throw new Error(`it took ${seconds(ms)}, ${seconds(firstConnectorMs)} are allowed`);
  }
}

/** The CLI alone, as most install it. */
async function checkFootprint(registry: LocalRegistry, folder: string): Promise<void> {
  const alone = await InstalledApp.install("npm", ["pulsar-ts-io"], {
    registry,
    folder: join(folder, "cli"),
  });
  const found = await measureFootprint(alone);
  say(
    `npm install pulsar-ts-io: ${found.packages} packages, ${(found.installedBytes / 1e6).toFixed(1)} MB; ` +
      `a start loads ${found.modules} modules, ${(found.moduleBytes / 1e6).toFixed(1)} MB`,
  );
  const faults = excesses(found);
  if (faults.length > 0) throw new Error(`the CLI has grown: ${faults.join("; ")}`);
}

async function nameOf(workspace: string): Promise<string> {
  const { name }: { readonly name: string } = JSON.parse(
    await readFile(join(root, workspace, "package.json"), "utf8"),
  );
  return name;
}

/** A binary of the newer release, from npm. */
async function fetchNode(folder: string, { env }: LocalRegistry): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${newerNode}`];
  await exec("npm", install, { cwd: folder, env });
  return join(folder, "node_modules", name, "bin", "node");
}
