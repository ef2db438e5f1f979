import { expect, it } from "vitest";
import { javaVersion } from "../../src/stack/java.ts";
import { downloadedBytes } from "../../src/stack/maven-jars.ts";

it.each([
  ["[INFO] Downloaded from central: https://repo.maven.apache.org/a.jar (1.2 MB at 3.4 MB/s)", 1_200_000],
  ["Downloaded from central: https://host/a.pom (345 kB at 1.0 MB/s)", 345_000],
  ["Downloaded from central: https://host/a.pom (12 B at 1.0 kB/s)", 12],
  ["Downloading from central: https://host/a.jar", undefined],
  ["[INFO] BUILD SUCCESS", undefined],
])("reads the size in %j as %s", (line, bytes) => {
  expect(downloadedBytes(line)).toBe(bytes);
});

it.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_392"', 8],
  ['openjdk version "21" 2023-09-19', 21],
  ["command not found", undefined],
])("reads the version in %j as %s", (output, version) => {
  expect(javaVersion(output)).toBe(version);
});
