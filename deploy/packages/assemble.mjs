// Makes the packages as they are published, in build/node_modules: `npm run assemble`, after `npm run build`.
//
// Each package's code and the packages that it uses become a few files, with source maps; between our own packages imports stay, so that
// a process has one copy of each. What is in build runs as it is, but for the optional native packages that npm adds.
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ThirdParties } from "./third-parties.mjs";
import { copyTypes } from "./types.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** In the order in which they need one another; `entries` are modules that are started by their path. */
const packages = [
  { folder: "packages/core" },
  { folder: "packages/config" },
  { folder: "packages/kinesis-consumer" },
  { folder: "packages/pulsar" },
  // Its users have a test runner, so its files stay as they are.
  { folder: "packages/testkit", bundled: false },
  { folder: "packages/create-pulsar-ts-io", entries: ["main"] },
  { folder: "connectors/data-generator" },
  { folder: "connectors/kinesis" },
  { folder: "runtime", entries: ["main", "child", "supervise/loop-watchdog-worker"] },
];

/** Everything that is published, made anew. @returns the folder that holds all packages. */
export async function assemble(modules = join(root, "build/node_modules")) {
  await rm(modules, { recursive: true, force: true });
  const manifests = await Promise.all(
    packages.map(({ folder }) => readJson(join(root, folder, "package.json"))),
  );
  const versions = new Map(manifests.map(({ name, version }) => [name, version]));
  for (const [index, { folder, entries = [], bundled = true }] of packages.entries()) {
    const manifest = manifests[index];
    const source = join(root, folder);
    const target = join(modules, manifest.name);
    if (!existsSync(join(source, "dist/index.js")))
      throw new Error(`${folder} is not built: run \`npm run build\``);
    await mkdir(target, { recursive: true });
    await copyFiles(source, target, manifest.files, bundled);
    const external = externalsOf(manifest, bundled, await requiredPackages(join(source, "dist")));
    await writeJson(join(target, "package.json"), publishedManifest(manifest, external, versions));
    if (bundled) {
      await copyTypes({ source, target, entry: "index.d.ts", installed: [...external, "node"] });
      await bundle({ source, target, entries: ["index", ...entries], external });
    }
  }
  return modules;
}

/** What npm installs besides a package: our own packages, what is optional, and what is required by its name at run time. */
function externalsOf(manifest, bundled, required) {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest;
  const own = Object.entries(dependencies).filter(([, range]) => range.startsWith("workspace:"));
  const stay = bundled ? [...own.map(([name]) => name), ...required] : Object.keys(dependencies);
  return [...stay, ...Object.keys(optionalDependencies), ...Object.keys(peerDependencies)];
}

/** Packages with files of their own, such as native code: nothing but Node can load them. */
async function requiredPackages(dist) {
  const names = await readdir(dist, { recursive: true });
  const texts = await Promise.all(
    names.filter((name) => name.endsWith(".js")).map((name) => readFile(join(dist, name), "utf8")),
  );
  const found = texts.flatMap((text) => [
    ...text.matchAll(/createRequire\(import\.meta\.url\)\("([^"]+)"\)/g),
  ]);
  return found.map(([, name]) => name);
}

function publishedManifest(manifest, external, versions) {
  const { devDependencies: _, publishConfig, dependencies = {}, ...rest } = manifest;
  const { exports, access } = publishConfig;
  const stay = Object.entries(dependencies)
    .filter(([name]) => external.includes(name))
    .map(([name, range]) => [name, range === "workspace:*" ? versions.get(name) : range]);
  return {
    ...rest,
    exports,
    files: [...rest.files, "THIRD-PARTY.txt"],
    dependencies: Object.fromEntries(stay),
    publishConfig: { access },
  };
}

async function copyFiles(source, target, files, bundled) {
  const whole = files.filter((name) => !name.startsWith("!") && (name !== "dist" || !bundled));
  for (const name of whole) {
    const filter = (path) => !path.endsWith(".tsbuildinfo");
    await cp(join(source, name), join(target, name), { recursive: true, filter });
  }
  await cp(join(source, "README.md"), join(target, "README.md"));
  await cp(join(root, "LICENSE"), join(target, "LICENSE"));
}

async function bundle({ source, target, entries, external }) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => ({ in: join(source, "dist", `${entry}.js`), out: entry })),
    outdir: join(target, "dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Modules of ES first: what is never used of them is left out.
    mainFields: ["module", "main"],
    conditions: ["module"],
    external,
    sourcemap: true,
    // Fewer bytes to read, to scan and to keep: 8 MB of memory at the start. Names stay, and lines short, for stack traces without maps.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    // The sources are published, too.
    sourcesContent: false,
    chunkNames: "chunk-[hash]",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    plugins: [keepPlaces(join(source, "dist"))],
  });
  for (const output of Object.keys(metafile.outputs)) {
    const path = join(root, output);
    if (path.endsWith(".map")) await correctSources(path, source, target);
    else await provideRequire(path);
  }
  const thirdParties = await ThirdParties.of(Object.keys(metafile.inputs).map((path) => resolve(root, path)));
  if (!thirdParties.none) await writeFile(join(target, "THIRD-PARTY.txt"), thirdParties.text);
}

/** A module of ours that asks where it is gets the answer of the place that it was written for. */
function keepPlaces(dist) {
  return {
    name: "keep-places",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, async ({ path }) => {
        const place = relative(dist, path);
        if (place.startsWith("..")) return undefined;
        const text = await readFile(path, "utf8");
        if (!text.includes("import.meta.url")) return undefined;
        const there = `new URL(${JSON.stringify(`./${place}`)}, import.meta.url).href`;
        return { contents: text.replaceAll("import.meta.url", there), loader: "js" };
      });
    },
  };
}

/** Modules of CommonJS require Node's own, and a module of ES has no `require`. */
async function provideRequire(path) {
  const text = await readFile(path, "utf8");
  if (!/\bvar __require ?=/.test(text)) return;
  // On the same line: the source map counts lines.
  const [first = "", ...rest] = text.split("\n");
  const made =
    'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); ';
  await writeFile(path, [`${made}${first}`, ...rest].join("\n"));
}

/** Maps our files to the sources beside them, and those of others to names that say which package they are of. */
async function correctSources(path, source, target) {
  const map = await readJson(path);
  map.sources = map.sources.map((name) => {
    const file = resolve(dirname(path), name);
    const own = relative(source, file);
    if (!own.startsWith("..")) return relative(dirname(path), join(target, own));
    return file.replace(/.*[\\/]node_modules[\\/]/, "third-party/");
  });
  await writeJson(path, map, 0);
}

async function readJson(path) {
  return JSON.parse(await readFile(path, "utf8"));
}

async function writeJson(path, value, indent = 2) {
  await writeFile(path, `${JSON.stringify(value, null, indent)}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const modules = await assemble();
  const names = await readdir(modules);
  process.stdout.write(`assembled ${names.length} folders in ${relative(root, modules)}\n`);
}
