import { join } from "node:path";
import { Child } from "./child.ts";
import { freePort } from "./free-ports.ts";
import { findJava, javaHome } from "./java.ts";
import type { LocalService } from "./local-service.ts";
import { layOut, localStackParts } from "./localstack-parts.ts";
import { killThoseIn } from "./processes.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";
import { waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder } from "./work-folder.ts";

const startMs = 180_000;

/**
 * Starts LocalStack 4.14.0 without Docker: Kinesis, DynamoDB, CloudWatch and STS behind one address of 127.0.0.1.
 *
 * Needs Python 3.13, Java 17, Maven and npm; fetches what it needs once, about a minute and a half. Starts in 4 to 8 s, takes
 * 450 to 880 MB. Not for load.
 *
 * @throws StackPartMissingError, StackFetchError, StackStartError
 */
export async function startLocalStack(options: StackOptions = {}): Promise<LocalService> {
  const resolved = resolveStackOptions(options);
  const java = await findJava(resolved);
  const parts = await localStackParts(java, resolved);
  const folder = await openWorkFolder("localstack");
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  let child: Child | undefined;
  const stop = async () => {
    await child?.kill();
    // Its java and node run in sessions of their own and outlive it; all of them have this folder in their arguments.
    await killThoseIn(folder.path);
    await folder[Symbol.asyncDispose]();
  };
  try {
    const root = join(folder.path, "root");
    await layOut(root, parts, await javaHome(java, resolved));
    resolved.report("starting LocalStack …");
    child = await Child.start(parts.python, ["-m", "localstack.runtime.main"], {
      logFile: join(folder.path, "localstack.log"),
      folder: folder.path,
      env: { ...resolved.env, NODE_OPTIONS: "", ...settings(root, port) },
    });
    const wait = { title: "LocalStack", withinMs: startMs, signal: resolved.signal };
    await waitUntilReady(child, () => servesCalls(endpoint), wait);
    return { endpoint, pid: child.pid, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settings(root: string, port: number): NodeJS.ProcessEnv {
  return {
    // Inside a container of ours it would take itself for its own image.
    OVERRIDE_IN_DOCKER: "0",
    FILESYSTEM_ROOT: root,
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    LOCALSTACK_HOST: `127.0.0.1:${port}`,
    // The default server ignores the host and binds every interface.
    GATEWAY_SERVER: "hypercorn",
    SERVICES: "kinesis,dynamodb,cloudwatch,sts",
    STRICT_SERVICE_LOADING: "1",
    EAGER_SERVICE_LOADING: "1",
    DNS_ADDRESS: "0",
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
    DYNAMODB_IN_MEMORY: "1",
    KINESIS_LATENCY: "50",
  };
}

/** Its health page says "running" over a broken backend: only a real call tells. */
async function servesCalls(endpoint: string): Promise<boolean> {
  const kinesis = await call(endpoint, "kinesis", "Kinesis_20131202.ListStreams", "1.1");
  return kinesis && (await call(endpoint, "dynamodb", "DynamoDB_20120810.ListTables", "1.0"));
}

async function call(endpoint: string, service: string, target: string, version: string): Promise<boolean> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": `application/x-amz-json-${version}`,
      "x-amz-target": target,
      // Not checked, but it names the service.
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: "{}",
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  return response.ok;
}
