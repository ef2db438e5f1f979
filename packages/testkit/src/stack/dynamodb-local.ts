import { join } from "node:path";
import { freePort } from "./free-ports.ts";
import { findJava } from "./java.ts";
import { type LocalService, startService } from "./local-service.ts";
import { mavenJars } from "./maven-jars.ts";
import { packageFile } from "./package-file.ts";
import { type ResolvedStackOptions, resolveStackOptions, type StackOptions } from "./stack-options.ts";

/**
 * Starts Amazon's DynamoDB Local, in memory, one database for all credentials and regions. Needs Java 17; Maven fetches it once.
 *
 * It has no point-in-time recovery and no tags.
 *
 * @throws StackPartMissingError, StackFetchError, StackStartError
 */
export async function startDynamoDbLocal(options: StackOptions = {}): Promise<LocalService> {
  const resolved = resolveStackOptions(options);
  const java = await findJava(resolved);
  const lib = await dynamoDbJars(resolved);
  const port = await freePort();
  const args = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    `-Djava.library.path=${lib}`,
    "-cp",
    join(lib, "*"),
    "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
    "-inMemory",
    "-sharedDb",
    "-disableTelemetry",
    "-port",
    String(port),
  ];
  return await startService({ title: "DynamoDB Local", command: java, args, port }, resolved);
}

/** The folder with DynamoDB Local and all it needs, its native library included; fetched once. */
function dynamoDbJars(options: ResolvedStackOptions): Promise<string> {
  return mavenJars(
    {
      name: "dynamodb-local",
      pom: packageFile("stack/dynamodb-local/pom.xml"),
      version: "2.6.1",
      title: "DynamoDB Local",
      megabytes: 51,
      duration: "about half a minute",
    },
    options,
  );
}
