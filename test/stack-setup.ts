import { hasCode } from "@pulsar-ts-io/core";
import { type LocalService, startDynamoDbLocal, startKinesisLocal, startPulsar } from "@pulsar-ts-io/testkit";
import type { TestProject } from "vitest/node";
import type { ProvidedStack } from "./stack.ts";

/**
 * Starts one broker, one DynamoDB Local and one kinesis-local for the whole run. `PULSAR_SERVICE_URL` (with
 * `PULSAR_ADMIN_URL`) names a broker to be used instead of ours.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const options = { report, signal: stop.signal };
  const started = await Promise.allSettled([
    pulsar(options),
    startDynamoDbLocal(options),
    startKinesisLocal(options),
  ]);
  const parts = started.flatMap((part) => (part.status === "fulfilled" ? [part.value] : []));
  const teardown = async () => {
    await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
  };
  const failure = started.find((part) => part.status === "rejected");
  if (failure !== undefined) await teardown();
  project.provide("stack", failure === undefined ? endpoints(started) : explain(failure.reason));
  return teardown;
}

type Started = readonly [
  PromiseSettledResult<Broker>,
  PromiseSettledResult<LocalService>,
  PromiseSettledResult<LocalService>,
];

interface Broker extends AsyncDisposable {
  readonly serviceUrl: string;
  readonly adminUrl: string;
}

function endpoints([broker, dynamo, kinesis]: Started): ProvidedStack {
  if (broker.status === "rejected" || dynamo.status === "rejected" || kinesis.status === "rejected") {
    return { missing: "a part of it did not start" };
  }
  return {
    pulsarServiceUrl: broker.value.serviceUrl,
    pulsarAdminUrl: broker.value.adminUrl,
    dynamoEndpoint: dynamo.value.endpoint,
    kinesisEndpoint: kinesis.value.endpoint,
  };
}

async function pulsar(options: { report: (line: string) => void; signal: AbortSignal }): Promise<Broker> {
  const serviceUrl = process.env["PULSAR_SERVICE_URL"];
  if (serviceUrl === undefined || serviceUrl === "") return await startPulsar(options);
  const host = new URL(serviceUrl.replace(/^pulsar/, "http")).hostname;
  const adminUrl = process.env["PULSAR_ADMIN_URL"] ?? `http://${host}:8080`;
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
