import { type Clock, systemClock } from "@pulsar-ts-io/core";
import {
  type AwsCredentialIdentity,
  type AwsCredentialIdentityProvider,
  createRequestHandler,
  fromNodeProviderChain,
  fromTemporaryCredentials,
} from "@pulsar-ts-io/kinesis-consumer";
import type { AwsEndpoints } from "./endpoints.ts";
import { KinesisConfigError, KinesisCredentialsError } from "./errors.ts";
import { asksContainerAgent, ChainNotes, explainCredentials, silenceRemedy } from "./explain-credentials.ts";
import { type CredentialAttempt, freshCredentials } from "./fresh-credentials.ts";
import type { AwsCredentialPluginParam, KinesisSourceOptions } from "./generated/options.ts";
import { withStarted } from "./started-work.ts";

/** Longest silence of STS and IAM Identity Center, milliseconds. */
const innerTimeoutMs = 8_000;
/** Longer than an attempt lasts, milliseconds. */
const agentTimeoutMs = 15_000;
const agentRetries = 3;
const agentPauseMs = 1_000;

/** How the connector proves who it is. */
export type CredentialMode =
  | {
      readonly kind: "static";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string | undefined;
    }
  | { readonly kind: "default-chain" }
  | { readonly kind: "assume-role"; readonly roleArn: string; readonly roleSessionName: string };

type CredentialOptions = Pick<KinesisSourceOptions, "awsCredentialPluginName" | "awsCredentialPluginParam">;

/**
 * The mode that awsCredentialPluginName asks for; Java's class names stand for it, in both their packages.
 *
 * @throws KinesisConfigError (`PIO_KINESIS_CONFIG`) naming the parameter that is missing; a validated config has them all.
 * @see org.apache.pulsar.io.aws.AbstractAwsConnector in apache/pulsar-connectors
 */
export function resolveCredentials(options: CredentialOptions): CredentialMode {
  const name = options.awsCredentialPluginName;
  switch (name) {
    case "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin":
    case "org.apache.pulsar.io.kinesis.AwsDefaultProviderChainPlugin":
      return { kind: "default-chain" };
    case "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin":
    case "org.apache.pulsar.io.kinesis.STSAssumeRoleProviderPlugin":
      return assumeRole(parameters(options));
    case undefined:
      return staticKeys(parameters(options));
    default:
      return name satisfies never;
  }
}

/**
 * Makes the provider of a mode. No I/O until it is called.
 *
 * It answers or fails within 10 s, whatever its source does, and each attempt begins with new providers of the SDK.
 */
export function credentialProvider(
  mode: CredentialMode,
  endpoints: AwsEndpoints,
  clock: Clock = systemClock,
): AwsCredentialIdentityProvider {
  switch (mode.kind) {
    case "static": {
      const { accessKeyId, secretAccessKey, sessionToken } = mode;
      const identity = {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
      };
      return () => Promise.resolve(identity);
    }
    case "default-chain":
      return freshCredentials({
        clock,
        attempt: attempts(clock, (attempt) => fromDefaultChain(endpoints, attempt)),
        late: (withinMs) =>
          lateError(`the default provider chain gave no AWS credentials within ${withinMs / 1_000} s`),
      });
    case "assume-role":
      return freshCredentials({
        clock,
        attempt: attempts(clock, (attempt) => fromRole(mode, endpoints, attempt)),
        late: (withinMs) =>
          lateError(`the role in awsCredentialPluginParam could not be assumed within ${withinMs / 1_000} s`),
      });
    default:
      return mode satisfies never;
  }
}

function lateError(message: string): KinesisCredentialsError {
  return new KinesisCredentialsError(message, { remedy: silenceRemedy, retryable: true });
}

/** The SDK asks IAM Identity Center for a new token every 30 s at most, and reports an expired token in between. */
const silenceLastsMs = 60_000;
/** On a machine that has no instance metadata service nobody answers at its address either. */
const metadataHosts = ["169.254.169.254", "fd00:ec2::254"];

/** Whether a request for credentials went without an answer lately. The SDK hides it, and reports what follows from it. */
class Silence {
  readonly #clock: Clock;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly note = (host: string): void => {
    if (!metadataHosts.includes(host)) this.#lastMs = this.#clock.monotonic();
  };

  get isRecent(): boolean {
    return this.#clock.monotonic() - this.#lastMs < silenceLastsMs;
  }
}

/** What an attempt works with. */
interface Attempt {
  readonly clock: Clock;
  readonly silence: Silence;
  /** Sends every request that the SDK lets it send. */
  readonly requestHandler: ReturnType<typeof createRequestHandler>;
  /** Aborts when nobody waits for the attempt any more. */
  readonly signal: AbortSignal;
}

/** Starts attempts that end, with everything they have started, when they are abandoned. */
function attempts(
  clock: Clock,
  get: (attempt: Attempt) => Promise<AwsCredentialIdentity>,
): () => CredentialAttempt {
  const silence = new Silence(clock);
  return () => {
    const requestHandler = createRequestHandler(innerTimeoutMs);
    const over = new AbortController();
    const attempt = { clock, silence, requestHandler, signal: over.signal };
    const { result, endAll } = withStarted(() => get(attempt), silence.note);
    return {
      identity: result,
      abandon: () => {
        over.abort(new Error("the attempt was abandoned"));
        endAll();
        requestHandler.destroy();
      },
    };
  };
}

/** As often, and after the same pauses, as the SDK asks a container's agent by itself. */
async function retried<T>(get: () => Promise<T>, { clock, signal }: Attempt): Promise<T> {
  for (let retry = 0; retry < agentRetries; retry += 1) {
    try {
      return await get();
    } catch {
      await clock.sleep(agentPauseMs, signal);
    }
  }
  return await get();
}

async function fromDefaultChain({ region }: AwsEndpoints, attempt: Attempt): Promise<AwsCredentialIdentity> {
  const { requestHandler, silence } = attempt;
  const agent = asksContainerAgent();
  const notes = new ChainNotes();
  const provider = fromNodeProviderChain({
    // No region in the configuration: it would replace that of IAM Identity Center, too.
    clientConfig: { requestHandler },
    logger: notes,
    // The SDK's time-out for a container's agent ends nothing: it prints a warning among the lines of the log.
    ...(agent ? { timeout: agentTimeoutMs, maxRetries: 0 } : {}),
  });
  const get = () => provider({ callerClientConfig: { region: () => Promise.resolve(region) } });
  try {
    return await (agent ? retried(get, attempt) : get());
  } catch (error) {
    throw explainCredentials(
      error,
      {
        failed: "the default provider chain found no AWS credentials",
        remedy:
          "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this machine a role; or set accessKey and secretKey in awsCredentialPluginParam",
      },
      { reason: notes.reason, isSilent: silence.isRecent },
    );
  }
}

async function fromRole(
  mode: Extract<CredentialMode, { kind: "assume-role" }>,
  endpoints: AwsEndpoints,
  attempt: Attempt,
): Promise<AwsCredentialIdentity> {
  const { requestHandler } = attempt;
  const { region, sts } = endpoints;
  const provider = fromTemporaryCredentials({
    params: { RoleArn: mode.roleArn, RoleSessionName: mode.roleSessionName },
    masterCredentials: () => fromDefaultChain(endpoints, attempt),
    clientConfig: { region, requestHandler, ...(sts === undefined ? {} : { endpoint: sts }) },
  });
  try {
    return await provider();
  } catch (error) {
    const where = sts ?? `STS in ${region}`;
    throw explainCredentials(error, {
      failed: `the role in awsCredentialPluginParam could not be assumed at ${where}`,
      remedy:
        "check that STS can be reached there, and that the role trusts this identity and allows it sts:AssumeRole",
    });
  }
}

function assumeRole(given: AwsCredentialPluginParam): CredentialMode {
  return {
    kind: "assume-role",
    roleArn: present(given.roleArn, "roleArn"),
    roleSessionName: present(given.roleSessionName, "roleSessionName"),
  };
}

function staticKeys(given: AwsCredentialPluginParam): CredentialMode {
  return {
    kind: "static",
    accessKeyId: present(given.accessKey, "accessKey"),
    secretAccessKey: present(given.secretKey, "secretKey"),
    sessionToken: given.sessionToken === "" ? undefined : given.sessionToken,
  };
}

function present(value: string | undefined, name: string): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new KinesisConfigError(`awsCredentialPluginParam has no ${name}`, {
    remedy: `add ${name} to the JSON in awsCredentialPluginParam, or set awsCredentialPluginName to another class`,
  });
}

function parameters(options: CredentialOptions): AwsCredentialPluginParam {
  try {
    const value: unknown = JSON.parse(options.awsCredentialPluginParam ?? "{}");
    // Each member is checked by present() before it is used.
    if (typeof value === "object" && value !== null) return value as AwsCredentialPluginParam;
  } catch {
    // The parser's own error quotes the text, which is a secret.
  }
  throw new KinesisConfigError("awsCredentialPluginParam is not a JSON object", {
    remedy: 'write {"accessKey":"…","secretKey":"…"}, its quotes escaped inside another JSON text',
  });
}
