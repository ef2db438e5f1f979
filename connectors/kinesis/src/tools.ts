import {
  type CheckResult,
  type ConnectorTools,
  remedyOf,
  type StartPosition,
  type ToolContext,
  toError,
} from "@pulsar-ts-io/core";
import {
  AwsAccessCheck,
  type AwsClients,
  createAwsClients,
  LeaseTools,
} from "@pulsar-ts-io/kinesis-consumer";
import { quietVersionNotice, readAwsEnvironment } from "./aws-environment.ts";
import { credentialProvider } from "./credentials.ts";
import { KinesisConfigError } from "./errors.ts";
import type { KinesisSourceOptions } from "./generated/options.ts";
import { KinesisSourceRecord } from "./kinesis-record.ts";
import { type KinesisSourceConfig, resolveOptions } from "./resolve-options.ts";

/** The generic commands for this connector. None of them is a worker: they take no lease. */
export const tools: ConnectorTools<KinesisSourceOptions> = {
  async *check(options, context) {
    const config = resolve(options);
    using clients = connect(config);
    const check = new AwsAccessCheck(clients, context, config);
    const identity = await tryCredentials(clients, config, context.signal);
    yield identity;
    if (identity.outcome === "ok") yield* check.run();
    yield { kind: "policy", holder: "the identity that the source works as", document: await check.policy() };
    if (config.credentials.kind === "assume-role") yield assumingPolicy;
  },
  async partitions(options, context) {
    return await withLeases(options, context, (leases) => leases.inspect());
  },
  async *peek(options, count, context) {
    const config = resolve(options);
    using clients = connect(config);
    const { aggregates, record: shape } = config;
    const leases = new LeaseTools(clients, context, config);
    for await (const record of leases.peek({ aggregates, count }))
      yield new KinesisSourceRecord(record, shape);
  },
  async reset(options, to, context) {
    await withLeases(options, context, async (leases, config) => {
      checkSameTime(to, config.initialPosition);
      await leases.reset(to);
    });
  },
};

/** The role's ARN counts as a secret: it is not shown. */
const assumingPolicy: CheckResult = {
  kind: "policy",
  holder: "the identity that assumes the role",
  document: {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Role",
        Effect: "Allow",
        Action: ["sts:AssumeRole"],
        Resource: "the roleArn of awsCredentialPluginParam",
      },
    ],
  },
};

/** Nothing else can be tried without them. */
async function tryCredentials(
  { kinesis }: AwsClients,
  { credentials }: KinesisSourceConfig,
  signal: AbortSignal,
): Promise<Extract<CheckResult, { kind: "attempt" }>> {
  const name = credentials.kind === "assume-role" ? "sts:AssumeRole" : "credentials";
  try {
    await kinesis.authenticate(signal);
    return { kind: "attempt", name, outcome: "ok" };
  } catch (error) {
    signal.throwIfAborted();
    const detail = `${toError(error).message}; nothing else was tried`;
    return { kind: "attempt", name, outcome: "failed", detail, remedy: remedyOf(error) };
  }
}

/** The lease table has no room for the time: each worker reads its own config. */
function checkSameTime(to: StartPosition, configured: StartPosition): void {
  if (to.kind !== "at-timestamp") return;
  if (configured.kind === "at-timestamp" && configured.epochMs === to.epochMs) return;
  const time = new Date(to.epochMs).toISOString();
  throw new KinesisConfigError(
    "nothing was reset: the lease table stores no time for AT_TIMESTAMP, and the config has another one",
    {
      remedy: `set initialPositionInStream: AT_TIMESTAMP and startAtTime: ${time} in this config and in that of every worker, and keep them until each shard has a checkpoint`,
    },
  );
}

async function withLeases<T>(
  options: KinesisSourceOptions,
  context: ToolContext,
  use: (leases: LeaseTools, config: KinesisSourceConfig) => Promise<T>,
): Promise<T> {
  const config = resolve(options);
  using clients = connect(config);
  return await use(new LeaseTools(clients, context, config), config);
}

function resolve(options: KinesisSourceOptions): KinesisSourceConfig {
  const config = resolveOptions(options, readAwsEnvironment());
  quietVersionNotice();
  return config;
}

function connect({ endpoints, cbor, credentials, applicationName }: KinesisSourceConfig): AwsClients {
  return createAwsClients({
    region: endpoints.region,
    kinesisEndpoint: endpoints.kinesis,
    dynamoEndpoint: endpoints.dynamodb,
    credentials: credentialProvider(credentials, endpoints),
    cbor,
    userAgent: [applicationName],
  });
}
