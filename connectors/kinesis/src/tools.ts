import type { ConnectorTools, StartPosition, ToolContext } from "@pulsar-ts-io/core";
import { type AwsClients, createAwsClients, LeaseTools } from "@pulsar-ts-io/kinesis-consumer";
import { quietVersionNotice, readAwsEnvironment } from "./aws-environment.ts";
import { credentialProvider } from "./credentials.ts";
import { KinesisConfigError } from "./errors.ts";
import type { KinesisSourceOptions } from "./generated/options.ts";
import { type KinesisSourceConfig, resolveOptions } from "./resolve-options.ts";

/** The generic commands for this connector. None of them is a worker: they take no lease. */
export const tools: ConnectorTools<KinesisSourceOptions> = {
  async partitions(options, context) {
    return await withLeases(options, context, (leases) => leases.inspect());
  },
  async reset(options, to, context) {
    await withLeases(options, context, async (leases, config) => {
      checkSameTime(to, config.initialPosition);
      await leases.reset(to);
    });
  },
};

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
  const config = resolveOptions(options, readAwsEnvironment());
  quietVersionNotice();
  using clients = connect(config);
  return await use(new LeaseTools(clients, context, config), config);
}

function connect({ endpoints, credentials, applicationName }: KinesisSourceConfig): AwsClients {
  return createAwsClients({
    region: endpoints.region,
    kinesisEndpoint: endpoints.kinesis,
    dynamoEndpoint: endpoints.dynamodb,
    credentials: credentialProvider(credentials, endpoints),
    userAgent: applicationName,
  });
}
