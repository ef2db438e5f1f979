// Leaves in a deployed application only what runs in production: node prune.mjs FOLDER
//
// Removes the packages that no dependency needs (pnpm installs optional peers that another workspace package uses), and the files that
// only compilers and debuggers read.
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: node prune.mjs FOLDER");

const app = realpathSync(folder);
const modules = join(app, "node_modules");
const store = join(modules, ".pnpm");
const needed = new Set([app]);
for (const directory of needed) {
  for (const name of dependenciesOf(directory)) {
    const found = resolve(directory, name);
    if (found !== undefined) needed.add(found);
  }
}

for (const entry of readdirSync(store).filter((name) => name !== "node_modules")) {
  const packages = join(store, entry, "node_modules");
  if (!existsSync(packages) || !ownPackages(packages).some((own) => needed.has(own))) {
    rmSync(join(store, entry), { recursive: true, force: true });
  }
}
for (const link of [...linksIn(modules), ...linksIn(join(store, "node_modules"))])
  if (target(link) === undefined) rmSync(link);
for (const link of allLinks(store)) if (target(link) === undefined) rmSync(link);
for (const name of [
  "pnpm-lock.yaml",
  "node_modules/.modules.yaml",
  "node_modules/.pnpm-workspace-state-v1.json",
]) {
  rmSync(join(app, name), { force: true });
}
// They are what `create` writes into a new package, an author's job that needs npm as well.
const creator = resolve(app, "create-pulsar-ts-io");
if (creator !== undefined) rmSync(join(creator, "template"), { recursive: true, force: true });
removeFiles(app);

/** Peers that are required come with a dependency of the same name; optional ones are the user's choice. */
function dependenciesOf(directory) {
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const {
    dependencies = {},
    optionalDependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = manifest;
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers];
}

/** The directory of the package `name` as Node finds it from `directory`; `undefined` when it is not installed for this platform. */
function resolve(directory, name) {
  for (let above = directory; ; above = dirname(above)) {
    const candidate = join(above, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (above === dirname(above)) return undefined;
  }
}

/** Packages directly in a `node_modules`, those of scopes included. */
function linksIn(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@")
        ? readdirSync(join(directory, name)).map((inner) => join(directory, name, inner))
        : [join(directory, name)],
    );
}

/** The package that a folder of the store holds; its dependencies beside it are links. */
function ownPackages(directory) {
  return linksIn(directory).filter((path) => !lstatSync(path).isSymbolicLink());
}

function allLinks(storeDirectory) {
  return readdirSync(storeDirectory).flatMap((entry) => linksIn(join(storeDirectory, entry, "node_modules")));
}

function target(path) {
  return existsSync(path) ? realpathSync(path) : undefined;
}

/** Commands of packages, sources, declarations, source maps and build information; folders that this leaves empty go as well. */
function removeFiles(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const info = lstatSync(path);
    if (name === ".bin") rmSync(path, { recursive: true });
    else if (info.isDirectory()) {
      removeFiles(path);
      if (readdirSync(path).length === 0) rmdirSync(path);
    } else if (/\.([cm]?tsx?|map|tsbuildinfo)$/.test(name)) rmSync(path);
  }
}
