// Packs every package, checks the tarballs as npm's users will meet them, installs them with plain npm and pnpm in empty
// folders, running nobody's install script, and runs what was installed on the oldest Node that is meant to do and on a newer one.
// --sbom FILE writes what npm installed, as CycloneDX has it.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import { main, prepareWorkspace, root, run, say } from "./workspace.mjs";

const published = [
  "packages/core",
  "packages/config",
  "packages/kinesis-consumer",
  "packages/pulsar",
  "packages/testkit",
  "packages/create-pulsar-ts-io",
  "connectors/data-generator",
  "connectors/kinesis",
  "runtime",
];
const exec = promisify(execFile);
const maxOutputBytes = 64 * 1_048_576;
/** The next release line; the tests run on whatever runs them. */
const newerNode = "22.23.3";
const { values: options } = parseArgs({ options: { sbom: { type: "string" } } });

await main(async () => {
  await prepareWorkspace();
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-packages-"));
  try {
    const tarballs = new Map();
    for (const workspace of published) {
      const [name, tarball] = await packAndCheck(workspace, folder);
      tarballs.set(name, tarball);
    }
    const newer = await fetchNode(join(folder, "node"));
    const withNpm = await install("npm", tarballs, join(folder, "npm"));
    await expectNothingToCompile(withNpm);
    await writeBillOfMaterials(withNpm);
    const withPnpm = await install("pnpm", tarballs, join(folder, "pnpm"));
    for (const app of [withNpm, withPnpm])
      for (const node of [process.execPath, newer]) await tryOut(app, node);
    say("running the demo with the installed packages …");
    await run(process.execPath, ["test/demo/demo.mjs", "--console"], {
      env: { ...process.env, PULSAR_TS_IO_BIN: binOf(withNpm) },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Packs one workspace; publint and attw must have nothing to say. Answers its name and the tarball. */
async function packAndCheck(workspace, folder) {
  const before = new Set(await readdir(folder));
  await exec("npx", ["--yes", "pnpm@10.34.9", "pack", "--pack-destination", folder], {
    cwd: join(root, workspace),
  });
  const file = (await readdir(folder)).find((name) => !before.has(name));
  if (file === undefined) throw new Error(`${workspace} was not packed`);
  const tarball = join(folder, file);
  say(`${workspace}: ${file}`);
  await run(process.execPath, ["node_modules/publint/src/cli.js", tarball, "--strict"]);
  const attw = "node_modules/@arethetypeswrong/cli/dist/index.js";
  await run(process.execPath, [attw, tarball, "--profile", "esm-only", "--format", "ascii"]);
  const { name: packageName } = JSON.parse(await readFile(join(root, workspace, "package.json"), "utf8"));
  return [packageName, tarball];
}

/** Installs the tarballs as a user would who has no workspace, and no compiler; answers the folder. */
async function install(manager, tarballs, app) {
  await mkdir(app);
  const files = Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]));
  // Nothing of ours is published yet: where one tarball needs another, it shall be this one.
  const settings = manager === "npm" ? { overrides: files } : { pnpm: { overrides: files } };
  const manifest = {
    name: "app",
    version: "0.0.0",
    private: true,
    type: "module",
    dependencies: files,
    ...settings,
  };
  await writeFile(join(app, "package.json"), JSON.stringify(manifest));
  say(`installing the tarballs with ${manager} in an empty folder …`);
  const [command, ...args] =
    manager === "npm"
      ? ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
      : ["npx", "--yes", "pnpm@10.34.9", "install", "--ignore-scripts", "--silent"];
  const { stderr } = await exec(command, args, { cwd: app });
  if (stderr.trim() !== "") say(stderr.trim());
  return app;
}

/** No install script is run here; there must be none that would have to be. */
async function expectNothingToCompile(app) {
  const { packages } = JSON.parse(await readFile(join(app, "package-lock.json"), "utf8"));
  const scripted = Object.entries(packages).filter(
    ([, entry]) => entry.hasInstallScript === true && !entry.optional,
  );
  if (scripted.length > 0)
    throw new Error(`these want to run something: ${scripted.map(([name]) => name).join(", ")}`);
}

async function writeBillOfMaterials(app) {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev"];
  const { stdout } = await exec("npm", args, { cwd: app, maxBuffer: maxOutputBytes });
  const { bomFormat, components = [] } = JSON.parse(stdout);
  const ours = components.filter(({ name }) => name.includes("pulsar-ts-io"));
  if (bomFormat !== "CycloneDX" || ours.length !== published.length)
    throw new Error("the bill of materials is not whole");
  say(`a user of all packages installs ${components.length} of them in all`);
  if (options.sbom !== undefined) await writeFile(options.sbom, stdout);
}

/** A binary of the newer release, from npm. */
async function fetchNode(folder) {
  const name = `node-${process.platform}-${process.arch}`;
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  await exec("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${newerNode}`], {
    cwd: folder,
  });
  return join(folder, "node_modules", name, "bin", "node");
}

/** Runs the installed CLI on that Node until it has made three records. */
async function tryOut(app, node) {
  const { stdout: version } = await exec(node, ["--version"]);
  const { stdout: listed } = await exec(node, [binOf(app), "connectors", "list"]);
  if (!listed.includes("kinesis") || !listed.includes("data-generator"))
    throw new Error(`not listed: ${listed}`);
  const config = JSON.stringify({ count: 3, recordsPerSecond: 0, template: "{{sequence}}" });
  const args = ["run", "--source-type", "data-generator", "--output", "console", "--source-config", config];
  const running = exec(node, [binOf(app), ...args]);
  let seen = 0;
  running.child.stdout.on("data", (text) => {
    seen += String(text).split("content:").length - 1;
    if (seen === 3) running.child.kill("SIGTERM");
  });
  await running;
  if (seen !== 3) throw new Error(`${seen} records instead of 3`);
  say(`${app.endsWith("pnpm") ? "pnpm" : "npm"}, Node ${version.trim()}: it runs`);
}

function binOf(app) {
  return join(app, "node_modules", "pulsar-ts-io", "bin", "pulsar-ts-io.js");
}
