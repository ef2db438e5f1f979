import { stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { findJava, hasMaven } from "./java.ts";
import { hasDocker, PulsarDocker } from "./pulsar-docker.ts";
import { pulsarJars } from "./pulsar-jars.ts";
import { PulsarJava } from "./pulsar-java.ts";
import type { PulsarPlace, PulsarRuntime } from "./pulsar-runtime.ts";
import { StackPartMissingError } from "./stack-errors.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

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
