import { hasCode } from "@pulsar-ts-io/core";
import { startDynamoDbLocal, startKinesisLocal, startLocalStack, startPulsar } from "@pulsar-ts-io/testkit";
import type { TestProject } from "vitest/node";
import type { ProvidedStack, RunningStack } from "./stack.ts";

/**
 * Starts one broker, one DynamoDB Local and one kinesis-local for the whole run, side by side. `PULSAR_SERVICE_URL` (with
 * `PULSAR_ADMIN_URL`) names a broker to be used instead of ours; `PULSAR_TS_IO_TEST_AWS` the address where all of AWS answers, or
 * says `localstack` for one of our own.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started: AsyncDisposable[] = [];
  const teardown = async () => {
    await Promise.all(started.map((part) => part[Symbol.asyncDispose]()));
  };
  try {
    project.provide("stack", await startAll(started));
  } catch (error) {
    await teardown();
    project.provide("stack", explain(error));
    return () => Promise.resolve();
  }
  return teardown;
}

interface StartOptions {
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The first part that fails stops the others, which may be at a long download; waits for all, so that none is left. */
async function startAll(started: AsyncDisposable[]): Promise<ProvidedStack> {
  const failure = new AbortController();
  const keep: Keep = async (start) => {
    try {
      const part = await start({ report, signal: failure.signal });
      started.push(part);
      return part;
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  const parts = [keep(pulsar), aws(keep)] as const;
  await Promise.allSettled(parts);
  failure.signal.throwIfAborted();
  const [broker, endpoints] = await Promise.all(parts);
  return { pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl, ...endpoints };
}

type Keep = <T extends AsyncDisposable>(start: (options: StartOptions) => Promise<T>) => Promise<T>;

async function aws(keep: Keep): Promise<Omit<RunningStack, "pulsarServiceUrl" | "pulsarAdminUrl">> {
  const given = process.env["PULSAR_TS_IO_TEST_AWS"] ?? "";
  if (given === "") {
    const parts = [keep(startDynamoDbLocal), keep(startKinesisLocal)] as const;
    await Promise.allSettled(parts);
    const [dynamo, kinesis] = await Promise.all(parts);
    return { dynamoEndpoint: dynamo.endpoint, kinesisEndpoint: kinesis.endpoint, awsGiven: false };
  }
  const endpoint = given === "localstack" ? (await keep(startLocalStack)).endpoint : given;
  return { dynamoEndpoint: endpoint, kinesisEndpoint: endpoint, awsGiven: true };
}

interface Broker extends AsyncDisposable {
  readonly serviceUrl: string;
  readonly adminUrl: string;
}

async function pulsar(options: StartOptions): Promise<Broker> {
  const { PULSAR_SERVICE_URL: serviceUrl = "", PULSAR_ADMIN_URL: given } = process.env;
  if (serviceUrl === "") return await startPulsar(options);
  const host = new URL(serviceUrl.replace(/^pulsar/, "http")).hostname;
  const adminUrl = given ?? `http://${host}:8080`;
  return { serviceUrl, adminUrl, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** A part that is missing skips tests; a part that is broken fails the run, as does a missing one in CI. */
function explain(reason: unknown): ProvidedStack {
  if (process.env["CI"] === "true" || !hasCode(reason, "PIO_STACK_PART_MISSING")) throw reason;
  const missing = reason instanceof Error ? reason.message : String(reason);
  report(`tests that need the local stack are skipped: ${missing}`);
  return { missing };
}

function report(line: string): void {
  process.stderr.write(`stack: ${line}\n`);
}
