import { join } from "node:path";
import { Child } from "./child.ts";
import { freePort } from "./free-ports.ts";
import { findJava } from "./java.ts";
import { mavenJars } from "./maven-jars.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";
import { answers, waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder } from "./work-folder.ts";

/** An AWS service on this machine. */
export interface LocalService extends AsyncDisposable {
  /** Such as `http://127.0.0.1:4566`. Any credentials and any region do. */
  readonly endpoint: string;
  readonly pid: number;
  /** Ends it and removes what it wrote. Idempotent. */
  stop(): Promise<void>;
}

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
  const lib = await mavenJars(
    {
      name: "dynamodb-local",
      version: "2.6.1",
      title: "DynamoDB Local",
      megabytes: 51,
      duration: "about half a minute",
    },
    resolved,
  );
  const folder = await openWorkFolder("dynamodb");
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = await Child.start(
    java,
    [
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
    ],
    { logFile: join(folder.path, "dynamodb.log"), folder: folder.path, env: resolved.env },
  );
  // Its state is in memory and it takes seconds to end in order: kill it.
  const stop = async () => {
    await child.kill();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await waitUntilReady(child, () => answers(endpoint), {
      title: "DynamoDB Local",
      withinMs: 60_000,
      signal: resolved.signal,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, pid: child.pid, stop, [Symbol.asyncDispose]: stop };
}
