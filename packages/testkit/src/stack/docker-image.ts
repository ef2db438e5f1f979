import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder, cacheFolder } from "./cache.ts";
import { importDockerBases } from "./docker-bases.ts";
import type { DockerEngine } from "./docker-engine.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";

const keptMs = 86_400_000;

export interface DockerImage {
  /** The folder with the Dockerfile. */
  readonly context: string;
  /** Of the folder in the cache, and the image's repository: `pulsar-ts-io-test`. */
  readonly name: string;
  /** Changes whenever what the image is built from does, such as a hash of it: the same image is built once for all processes. */
  readonly key: string;
}

/**
 * Builds an image, or loads it from the cache where it was built already.
 *
 * @returns its name, for `docker run`.
 * @throws StackRequestError (`PIO_STACK_REQUEST_FAILED`) with the builder's output.
 */
export async function openDockerImage(
  engine: DockerEngine,
  { context, name, key }: DockerImage,
  options: StackOptions = {},
): Promise<string> {
  const resolved = resolveStackOptions(options);
  const { signal } = resolved;
  const tag = `${name}:${key}`;
  const build = async (folder: string) => {
    if (engine.started) await importDockerBases(engine, resolved);
    resolved.report(`building the image ${name} …`);
    await engine.docker(["build", "--network", "host", "--tag", tag, context], { signal });
    await engine.docker(["save", "--output", join(folder, "image.tar"), tag], { signal });
  };
  const folder = await cachedFolder(`${name}-${key}`, build, resolved);
  await removeOld(cacheFolder(resolved.env), name);
  const present = await engine.docker(["images", "--quiet", tag], { signal });
  if (present === "") await engine.docker(["load", "--input", join(folder, "image.tar")], { signal });
  return tag;
}

/** An image for each state of the sources would fill the disk. Those of the last day may belong to another working copy. */
async function removeOld(root: string, name: string): Promise<void> {
  for (const entry of await readdir(root)) {
    if (!entry.startsWith(`${name}-`) || /\.(lock|partial)$/.test(entry)) continue;
    const info = await stat(join(root, entry)).catch(() => undefined);
    if (info === undefined || Date.now() - info.mtimeMs < keptMs) continue;
    await rm(join(root, entry), { recursive: true, force: true });
  }
}
