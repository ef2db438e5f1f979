import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { Child } from "./child.ts";
import { StackPartMissingError, StackRequestError } from "./stack-errors.ts";
import { type ResolvedStackOptions, resolveStackOptions, type StackOptions } from "./stack-options.ts";
import { waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder } from "./work-folder.ts";

const run = promisify(execFile);
const startMs = 120_000;
const maxOutputBytes = 64 * 1_048_576;

export interface DockerOptions {
  /** Ends the command. Default: never. */
  readonly signal?: AbortSignal | undefined;
  /** Returns standard error as well, after standard output. */
  readonly withErrors?: boolean | undefined;
}

/** A Docker Engine. Containers reach the machine, and the machine them, by `--network host` alone. */
export interface DockerEngine extends AsyncDisposable {
  /** What `DOCKER_HOST` has to be; `undefined` for the machine's own engine. */
  readonly host: string | undefined;
  /** Whether this process started it. It pulls nothing then: {@link openDockerImage} makes the base images. */
  readonly started: boolean;
  /**
   * Runs `docker` with these arguments.
   *
   * @returns its standard output, trimmed.
   * @throws StackRequestError (`PIO_STACK_REQUEST_FAILED`) with both outputs when it fails.
   */
  docker(args: readonly string[], options?: DockerOptions): Promise<string>;
}

/**
 * The machine's own Docker Engine where one answers, else one started for this process, with a socket and a data directory of its own. It
 * ends with this process, and its containers with it.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) without dockerd or without root; StackStartError (`PIO_STACK_START_FAILED`).
 */
export async function startDockerEngine(options: StackOptions = {}): Promise<DockerEngine> {
  const resolved = resolveStackOptions(options);
  if (await answers(undefined, resolved)) {
    return {
      host: undefined,
      started: false,
      docker: (args, more) => docker(undefined, args, resolved, more),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  if (process.getuid?.() !== 0) {
    throw new StackPartMissingError("no Docker Engine answers", {
      remedy: "start Docker, or run as root with dockerd installed",
    });
  }
  return await startOwn(resolved);
}

async function startOwn(options: ResolvedStackOptions): Promise<DockerEngine> {
  const folder = await openWorkFolder("docker");
  const host = `unix://${join(folder.path, "docker.sock")}`;
  // In namespaces of its own: no mount and no process outlives it, however it ends.
  const isolated = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "dockerd"];
  const places = ["--data-root", "data", "--exec-root", "exec", "--pidfile", "pid"].map((word) =>
    word.startsWith("--") ? word : join(folder.path, word),
  );
  const network = ["--iptables=false", "--ip-masq=false", "--bridge=none"];
  let child: Child | undefined;
  const stop = async () => {
    if (child?.running === true) await removeContainers(host, options).catch(() => undefined);
    await child?.stop();
    await folder[Symbol.asyncDispose]();
  };
  try {
    child = await Child.start(
      "unshare",
      [...isolated, "-H", host, ...places, ...network, "--storage-driver", "overlay2"],
      { logFile: join(folder.path, "dockerd.log"), folder: folder.path, env: options.env },
    );
    const wait = { title: "the Docker Engine", withinMs: startMs, signal: options.signal };
    await waitUntilReady(child, () => answers(host, options), wait);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host,
    started: true,
    docker: (args, more) => docker(host, args, options, more),
    [Symbol.asyncDispose]: stop,
  };
}

async function answers(host: string | undefined, options: ResolvedStackOptions): Promise<boolean> {
  return docker(host, ["version", "--format", "{{.Server.Version}}"], options).then(
    () => true,
    () => false,
  );
}

async function removeContainers(host: string, options: ResolvedStackOptions): Promise<void> {
  const ids = (await docker(host, ["ps", "--all", "--quiet"], options)).split("\n").filter(Boolean);
  if (ids.length > 0) await docker(host, ["rm", "--force", ...ids], options);
}

async function docker(
  host: string | undefined,
  args: readonly string[],
  { env, signal }: ResolvedStackOptions,
  more: DockerOptions = {},
): Promise<string> {
  const settings = {
    env: host === undefined ? env : { ...env, DOCKER_HOST: host },
    signal: more.signal ?? signal,
    maxBuffer: maxOutputBytes,
  };
  try {
    const { stdout, stderr } = await run("docker", args, settings);
    return (more.withErrors === true ? `${stdout}${stderr}` : stdout).trim();
  } catch (cause) {
    settings.signal.throwIfAborted();
    throw new StackRequestError(`docker ${args.join(" ").slice(0, 300)} failed: ${outputOf(cause)}`, {
      cause,
    });
  }
}

function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string }; // by Node's documentation
  return `${stdout}\n${stderr}`.trim().slice(-4_000) || error.message;
}
