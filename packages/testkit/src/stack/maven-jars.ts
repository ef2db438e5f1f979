import { mkdir, readdir } from "node:fs/promises";
import { cachedFolder } from "./cache.ts";
import { hasMaven } from "./java.ts";
import { packageFile } from "./package-file.ts";
import { runCommand } from "./run-command.ts";
import { StackFetchError, StackPartMissingError } from "./stack-errors.ts";
import { type ResolvedStackOptions, resolveStackOptions, type StackOptions } from "./stack-options.ts";

export interface MavenJars {
  /** The name in the cache, with `version`. */
  readonly name: string;
  /** Path of the pom that names the artifacts. */
  readonly pom: string;
  readonly version: string;
  /** Properties of the pom to set. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** For people: "the Pulsar broker". */
  readonly title: string;
  /** How much there is to fetch on a machine that has none of it, megabytes. */
  readonly megabytes: number;
  /** How long that takes, for people: "about two minutes". */
  readonly duration: string;
}

const reportEveryMs = 3_000;

/**
 * The folder with the runtime jars of a pom, fetched once from Maven Central.
 *
 * Some of the poms on the way name other repositories: our settings send those to an empty folder. They take the
 * place of the installation's settings; the user's own (`~/.m2/settings.xml`, a mirror for instance) still come first.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) without Maven; StackFetchError (`PIO_STACK_FETCH_FAILED`).
 */
export function mavenJars(jars: MavenJars, options: StackOptions = {}): Promise<string> {
  const resolved = resolveStackOptions(options);
  const fill = (folder: string) => fetchJars(jars, folder, resolved);
  return cachedFolder(`${jars.name}-${jars.version}`, fill, resolved);
}

async function fetchJars(jars: MavenJars, folder: string, options: ResolvedStackOptions): Promise<void> {
  const { report, signal, env } = options;
  if (!(await hasMaven(options))) {
    throw new StackPartMissingError(`${jars.title} cannot be fetched: Maven is not installed`, {
      remedy: "install Maven (mvn) and a JDK 17",
    });
  }
  report(`fetching ${jars.title} from Maven Central: ${jars.megabytes} MB, ${jars.duration} …`);
  const properties = Object.entries(jars.properties ?? {}).map(([name, value]) => `-D${name}=${value}`);
  const progress = new DownloadProgress(jars, report);
  await mkdir(folder, { recursive: true });
  const { exitCode, tail } = await runCommand(
    "mvn",
    [
      "--batch-mode",
      "--global-settings",
      packageFile("stack/central-only-settings.xml"),
      "--file",
      jars.pom,
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      `-DoutputDirectory=${folder}`,
      ...properties,
    ],
    { signal, env, onLine: (line) => progress.line(line) },
  );
  const count = (await readdir(folder)).filter((name) => name.endsWith(".jar")).length;
  if (exitCode !== 0 || count === 0) {
    const why = tail.split("\n").filter((line) => line.includes("ERROR"));
    throw new StackFetchError(`fetching ${jars.title} from Maven Central failed: ${why[0] ?? tail}`, {
      remedy: `see whether Maven can reach repo.maven.apache.org; by hand: mvn -f ${jars.pom} dependency:copy-dependencies`,
    });
  }
  report(`fetched ${jars.title}: ${count} jars`);
}

/** Adds up what Maven says it has downloaded, and tells now and then. */
class DownloadProgress {
  readonly #jars: MavenJars;
  readonly #report: (line: string) => void;
  #files = 0;
  #bytes = 0;
  #toldAt = performance.now();

  constructor(jars: MavenJars, report: (line: string) => void) {
    this.#jars = jars;
    this.#report = report;
  }

  line(line: string): void {
    const bytes = downloadedBytes(line);
    if (bytes === undefined) return;
    this.#files += 1;
    this.#bytes += bytes;
    const now = performance.now();
    if (now - this.#toldAt < reportEveryMs) return;
    this.#toldAt = now;
    const { title, megabytes } = this.#jars;
    const done = Math.min(megabytes, Math.round(this.#bytes / 1e6));
    const percent = Math.round((100 * done) / megabytes);
    this.#report(`fetching ${title}: ${this.#files} files, ${done} of ${megabytes} MB (${percent} %)`);
  }
}

const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** The size in a line such as `Downloaded from central: https://… (1.2 MB at 3.4 MB/s)`; `undefined` for other lines. */
export function downloadedBytes(line: string): number | undefined {
  const match = /Downloaded from .*\(([\d.]+) (B|kB|MB|GB) at /.exec(line);
  if (match === null) return undefined;
  const [, amount = "0", unit = "B"] = match;
  return Number(amount) * (units[unit] ?? 1);
}
