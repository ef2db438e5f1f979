import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cachedFolder } from "./cache.ts";
import { mavenJars } from "./maven-jars.ts";
import { packageFile } from "./package-file.ts";
import { fetchPart, preparePython } from "./python-environment.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** What LocalStack 4.14.0 is made of here, each in the cache. */
export interface LocalStackParts {
  /** Of the virtual environment with LocalStack in it. */
  readonly python: string;
  /** Where LocalStack finds DynamoDB Local. */
  readonly dynamoDb: string;
  /** Where LocalStack finds kinesis-local. */
  readonly kinesis: string;
}

/** The version of kinesis-local that LocalStack 4.14.0 looks for. */
const kinesisLocalVersion = "0.5.2";

/** Fetches the parts from PyPI, Maven Central and npm, once. */
export async function localStackParts(java: string, options: ResolvedStackOptions): Promise<LocalStackParts> {
  const packages = {
    name: "localstack-python-4.14.0",
    requirements: packageFile("stack/localstack/requirements.txt"),
    title: "LocalStack 4.14.0 from PyPI: about a minute",
  };
  const python = await preparePython(packages, options);
  const dynamoDb = await dynamoDbParts(java, options);
  const kinesis = await kinesisParts(options);
  return { python, dynamoDb, kinesis };
}

async function dynamoDbParts(java: string, options: ResolvedStackOptions): Promise<string> {
  const jars = await mavenJars(
    {
      name: "localstack-dynamodb",
      pom: packageFile("stack/localstack-dynamodb/pom.xml"),
      version: "2.6.1",
      title: "DynamoDB Local for LocalStack",
      megabytes: 52,
      duration: "about half a minute",
    },
    options,
  );
  const fill = async (folder: string) => {
    const names = (await readdir(jars)).sort();
    const agent = names.find((name) => name.startsWith("byte-buddy-agent-")) ?? "";
    await symlink(jars, join(folder, "DynamoDBLocal_lib"));
    await symlink(join(jars, agent), join(folder, "ddb-local-loader-0.1.jar"));
    // Maven's jar names the files of another distribution as its class path: put one with only a manifest before it.
    const paths = names
      .filter((name) => name.endsWith(".jar"))
      .map((name) => `\n  DynamoDBLocal_lib/${name}`);
    const main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";
    const manifest = join(folder, "manifest.txt");
    await writeFile(manifest, `Main-Class: ${main}\nClass-Path: .${paths.join("")}\n`);
    const jar = ["-m", "jdk.jartool/sun.tools.jar.Main", "cfm", join(folder, "DynamoDBLocal.jar"), manifest];
    await fetchPart(java, jar, options);
  };
  return await cachedFolder("localstack-dynamodb-parts-2.6.1", fill, options);
}

async function kinesisParts(options: ResolvedStackOptions): Promise<string> {
  const fill = async (folder: string) => {
    await mkdir(folder, { recursive: true });
    options.report(`installing kinesis-local ${kinesisLocalVersion} for LocalStack from npm …`);
    const npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix", folder];
    await fetchPart("npm", [...npm, `kinesis-local@${kinesisLocalVersion}`], options, { cwd: folder });
  };
  return await cachedFolder(`localstack-kinesis-${kinesisLocalVersion}`, fill, options);
}

/**
 * Lays out a root folder as LocalStack expects to find it, with links to the parts: what it would download is there.
 *
 * @param javaHome it looks for `java/21/bin/java` and does not mind which version that is.
 */
export async function layOut(root: string, parts: LocalStackParts, javaHome: string): Promise<void> {
  const lib = join(root, "var", "lib", "localstack", "lib");
  const links: readonly (readonly [string, string])[] = [
    [javaHome, join(lib, "java", "21")],
    [parts.dynamoDb, join(lib, "dynamodb-local", "2")],
    [parts.kinesis, join(lib, "kinesis-local", kinesisLocalVersion)],
  ];
  for (const [target, link] of links) {
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link);
  }
}
