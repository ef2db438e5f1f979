import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  type DockerEngine,
  openDockerImage,
  type StackOptions,
  startDockerEngine,
} from "@pulsar-ts-io/testkit";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** What .dockerignore leaves out, as git's patterns: a change of it builds nothing again. */
const unused = [
  "**/test/**",
  "test/**",
  "docs/**",
  "dashboards/**",
  ".github/**",
  ".ci/**",
  ".changeset/**",
  "deploy/kubernetes/**",
];

/** This project's image in a Docker Engine that runs for one test file. */
export interface ProjectImage extends AsyncDisposable {
  readonly engine: DockerEngine;
  /** For `docker run`. */
  readonly image: string;
}

/**
 * Starts a Docker Engine, or takes the machine's own, and builds the image from the Dockerfile of this working copy. An image of the same
 * sources comes from the cache: two minutes the first time, a few seconds then.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) on a machine without Docker.
 */
export async function openProjectImage(options: StackOptions = {}): Promise<ProjectImage> {
  const engine = await startDockerEngine(options);
  try {
    const key = await contextHash();
    const image = await openDockerImage(engine, { context: root, name: "pulsar-ts-io-image", key }, options);
    return { engine, image, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** A hash of the files that the image is built from. */
async function contextHash(): Promise<string> {
  const patterns = [".", ...unused.map((pattern) => `:(exclude,glob)${pattern}`)];
  const listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ...patterns];
  const { stdout } = await promisify(execFile)("git", listed, { cwd: root, maxBuffer: 16 * 1_048_576 });
  const hash = createHash("sha256");
  for (const path of stdout.split("\0").filter(Boolean).sort()) {
    const content = await readFile(join(root, path)).catch(() => undefined); // deleted, and not yet committed
    if (content !== undefined) hash.update(`${path}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}
