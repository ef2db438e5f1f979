import { type MavenJars, mavenJars } from "./maven-jars.ts";
import { packageFile } from "./package-file.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** The version that the test stack is measured with. */
export const pulsarVersion = "4.0.7";

/** The folder with the jars of a broker, its Java client included; fetched once. */
export function pulsarJars(version: string, options: ResolvedStackOptions): Promise<string> {
  return mavenJars(pulsarArtifacts(version), options);
}

export function pulsarArtifacts(version: string): MavenJars {
  return {
    name: "pulsar-broker",
    pom: packageFile("stack/pulsar-broker/pom.xml"),
    version,
    properties: { "pulsar.version": version },
    title: `the Pulsar broker ${version}`,
    megabytes: 234,
    duration: "about two minutes",
  };
}
