import { mavenJars } from "./maven-jars.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** The version that the test stack is measured with. */
export const pulsarVersion = "4.0.7";

/** The folder with the jars of a broker, its Java client included; fetched once. */
export function pulsarJars(version: string, options: ResolvedStackOptions): Promise<string> {
  return mavenJars(
    {
      name: "pulsar-broker",
      version,
      properties: { "pulsar.version": version },
      title: `the Pulsar broker ${version}`,
      megabytes: 234,
      duration: "about two minutes",
    },
    options,
  );
}
