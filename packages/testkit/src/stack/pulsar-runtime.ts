import { stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import type { Child } from "./child.ts";
import { findJava, hasMaven } from "./java.ts";
import { hasDocker, PulsarDocker } from "./pulsar-docker.ts";
import { pulsarJars } from "./pulsar-jars.ts";
import { PulsarJava } from "./pulsar-java.ts";
import { StackPartMissingError } from "./stack-errors.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** What a broker runs in. */
export interface PulsarRuntime {
  /** The address inside that clients on this machine can reach. */
  readonly bindAddress: string;
  /** Starts the broker on the data that earlier starts have left. */
  start(): Promise<Child>;
  /** Ends the broker at once, as a crash does; its data stays. */
  kill(child: Child): Promise<void>;
  /** Removes what is not in the work folder. */
  remove(): Promise<void>;
}

export interface PulsarPlace {
  readonly version: string;
  /** Holds the configuration, the log and the data. */
  readonly folder: string;
  readonly configFile: string;
  readonly ports: readonly number[];
  readonly heapMb: number;
}

/**
 * Java with jars from Maven, else Docker.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) when the machine has neither; StackFetchError
 */
export async function openPulsarRuntime(
  place: PulsarPlace,
  options: ResolvedStackOptions,
): Promise<PulsarRuntime> {
  const java = await findJava(options).catch((error: unknown) => {
    options.signal.throwIfAborted();
    return error;
  });
  const fetched = await isFetched(place.version, options);
  if (typeof java === "string" && (fetched || (await hasMaven(options)))) {
    return new PulsarJava(java, await pulsarJars(place.version, options), place, options);
  }
  if (await hasDocker(options)) return await PulsarDocker.open(place, options);
  const missing = typeof java === "string" ? "Maven" : "Java 17";
  throw new StackPartMissingError(
    `no Pulsar broker can be started here: neither ${missing} nor Docker is there`,
    {
      ...(typeof java === "string" ? {} : { cause: java }),
      remedy: "install a JDK 17 and Maven, or Docker; or set PULSAR_SERVICE_URL to a broker that runs",
    },
  );
}

async function isFetched(version: string, options: ResolvedStackOptions): Promise<boolean> {
  return await stat(join(cacheFolder(options.env), `pulsar-broker-${version}`)).then(
    () => true,
    () => false,
  );
}
