// Packs every package, checks the tarballs as npm's users will meet them, installs them with plain npm in an empty
// folder and runs the demo with what was installed.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { main, prepareWorkspace, root, run, say } from "./workspace.mjs";

const published = [
  "packages/core",
  "packages/config",
  "packages/kinesis-consumer",
  "packages/pulsar",
  "packages/testkit",
  "connectors/data-generator",
  "connectors/kinesis",
  "runtime",
];
const exec = promisify(execFile);

await main(async () => {
  await prepareWorkspace();
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-packages-"));
  try {
    const tarballs = [];
    for (const workspace of published) tarballs.push(await packAndCheck(workspace, folder));
    const app = await installPlainly(tarballs, join(folder, "app"));
    say("running the demo with the installed packages …");
    const bin = join(app, "node_modules", "pulsar-ts-io", "bin", "pulsar-ts-io.js");
    const env = { ...process.env, PULSAR_TS_IO_BIN: bin };
    await run(process.execPath, ["test/demo/demo.mjs", "--console"], { env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Packs one workspace; publint and attw must have nothing to say. Answers the tarball. */
async function packAndCheck(workspace, folder) {
  const before = new Set(await readdir(folder));
  await exec("npx", ["--yes", "pnpm@10.34.9", "pack", "--pack-destination", folder], {
    cwd: join(root, workspace),
  });
  const name = (await readdir(folder)).find((file) => !before.has(file));
  if (name === undefined) throw new Error(`${workspace} was not packed`);
  const tarball = join(folder, name);
  say(`${workspace}: ${name}`);
  await run(process.execPath, ["node_modules/publint/src/cli.js", tarball, "--strict"]);
  const attw = "node_modules/@arethetypeswrong/cli/dist/index.js";
  await run(process.execPath, [attw, tarball, "--profile", "esm-only", "--format", "ascii"]);
  return tarball;
}

/** `npm install` of the tarballs, as a user would who has no workspace; answers the folder. */
async function installPlainly(tarballs, app) {
  await mkdir(app);
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  say("installing the tarballs with npm in an empty folder …");
  const { stderr } = await exec("npm", ["install", "--no-audit", "--no-fund", ...tarballs], { cwd: app });
  if (stderr.trim() !== "") say(stderr.trim());
  return app;
}
