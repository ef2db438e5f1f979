import { ConnectorError, toError } from "@pulsar-ts-io/core";
import { kindOfName } from "./aws-error-names.ts";
import { isKnownRegion } from "./aws-partition.ts";
import {
  AwsAccessDeniedError,
  AwsCredentialsError,
  AwsRegionError,
  AwsRequestRefusedError,
  AwsThrottledError,
  AwsUnavailableError,
  AwsUnreachableError,
} from "./errors.ts";

/** The call that failed, for the message. */
export interface AwsCall {
  readonly service: "Kinesis" | "DynamoDB" | "CloudWatch";
  /** As AWS names it, such as `GetRecords`. */
  readonly operation: string;
  /** What it was about, such as `stream "orders"`. */
  readonly resource: string;
  readonly region: string;
  /** The URL called. */
  readonly endpoint: string;
  /** The proxy that the environment names for it. */
  readonly proxy?: string | undefined;
  /** Whether someone configured that URL, rather than AWS giving it. */
  readonly customEndpoint: boolean;
}

/** What can be read off whatever an AWS client throws. */
export interface AwsFailure {
  readonly name: string;
  readonly message: string;
  /** Absent: no answer came. */
  readonly status: number | undefined;
  /** Tries the client made, at least 1. */
  readonly attempts: number;
  readonly cause: Error;
}

/** Reads an error of the SDK, of its HTTP handler or of Node, whichever it is. */
export function readAwsFailure(thrown: unknown): AwsFailure {
  const cause = toError(thrown);
  const metadata = "$metadata" in cause ? cause.$metadata : undefined;
  return {
    name: nameOf(cause),
    message: cause.message,
    status: numberIn(metadata, "httpStatusCode"),
    attempts: numberIn(metadata, "attempts") ?? 1,
    cause,
  };
}

/** Whether the call that threw `error` may succeed later without a change of the configuration, whatever the status of the answer. */
export function isPassingAwsError(error: unknown): boolean {
  const { name, status } = readAwsFailure(error);
  const kind = kindOfName(name);
  if (kind === "throttled" || kind === "transient" || kind === "clock-skew" || kind === "network")
    return true;
  return status === undefined ? false : status >= 500 || status === 429;
}

/** Whether a write that failed like this may have been done all the same: only a clear refusal of the only try says no. */
export function mayHaveLanded(failure: AwsFailure): boolean {
  const refused = failure.status !== undefined && failure.status >= 400 && failure.status < 500;
  return failure.attempts > 1 || !refused;
}

/** The coded error for a failure that means the same whatever was called. */
export function translateAwsFailure(failure: AwsFailure, call: AwsCall): ConnectorError {
  // A provider of credentials has said already what is wrong: the call was not made.
  if (failure.cause instanceof ConnectorError) return failure.cause;
  return (
    aboutIdentity(failure, call) ??
    aboutTheNetwork(failure, call) ??
    aboutLoad(failure, call) ??
    new AwsRequestRefusedError(`${subject(call)} was refused: ${failure.message} (${failure.name})`, {
      cause: failure.cause,
      details: details(failure, call),
    })
  );
}

function aboutIdentity(failure: AwsFailure, call: AwsCall): ConnectorError | undefined {
  const options = { cause: failure.cause, details: details(failure, call) };
  const kind = kindOfName(failure.name);
  if (kind === "denied") {
    const action = failure.name.startsWith("KMS") ? "kms:Decrypt" : iamAction(call);
    return new AwsAccessDeniedError(`${subject(call)} was denied: the IAM permission ${action} is missing`, {
      ...options,
      remedy: `allow ${action} on the ${call.resource} in the policy of the identity that the credentials belong to`,
    });
  }
  if (/scoped to a valid region|scoped to correct region/i.test(failure.message)) {
    return new AwsRegionError(
      `${call.service} at ${call.endpoint} does not serve the region ${call.region}`,
      { ...options, remedy: "set the region of the endpoint, or the endpoint of the region" },
    );
  }
  if (/signature (expired|not yet current)/i.test(failure.message) || kind === "clock-skew") {
    // The SDK has noted the difference from the answer's date: the next attempt is signed with the right time.
    return new AwsCredentialsError(`${subject(call)} was refused: this machine's clock is wrong`, {
      ...options,
      retryable: true,
      remedy: "set the clock of this machine",
    });
  }
  if (kind === "expired") {
    return new AwsCredentialsError(`${subject(call)} was refused: the credentials have expired`, {
      ...options,
      retryable: true,
      remedy: "renew the credentials, or use ones that are renewed by themselves",
    });
  }
  if (kind === "unknown-credentials") {
    return new AwsCredentialsError(`${subject(call)} was refused: the credentials are missing or not valid`, {
      ...options,
      retryable: false,
      remedy: "check the access key, its secret and, for temporary ones, the session token",
    });
  }
  return undefined;
}

function aboutTheNetwork(failure: AwsFailure, call: AwsCall): ConnectorError | undefined {
  if (failure.status !== undefined || kindOfName(failure.name) !== "network") return undefined;
  const options = { cause: failure.cause, details: details(failure, call) };
  // Of a region that exists, the name is there: this machine cannot resolve it for now.
  if (call.proxy !== undefined) {
    const why =
      failure.name === "ProxyError"
        ? `: ${failure.message}`
        : ` through the proxy ${call.proxy} (${failure.name})`;
    return new AwsUnreachableError(`${call.service} at ${call.endpoint} cannot be reached${why}`, {
      ...options,
      remedy: `check HTTPS_PROXY and HTTP_PROXY, let the proxy connect to ${call.endpoint}, or list that host in NO_PROXY`,
    });
  }
  if (failure.name === "ENOTFOUND" && !call.customEndpoint && !isKnownRegion(call.region)) {
    return new AwsRegionError(
      `there is no ${call.service} in the region "${call.region}": ${call.endpoint} is unknown`,
      { ...options, remedy: "check the name of the region, and that this machine can resolve AWS's names" },
    );
  }
  if (failure.name === "TimeoutError") {
    return new AwsUnreachableError(`${subject(call)} was not answered in time at ${call.endpoint}`, {
      ...options,
      remedy: `check that ${call.endpoint} is reachable from this machine and that no firewall drops the connection`,
    });
  }
  return new AwsUnreachableError(`${call.service} at ${call.endpoint} cannot be reached (${failure.name})`, {
    ...options,
    remedy: `check that ${call.endpoint} is right and reachable from this machine`,
  });
}

function aboutLoad(failure: AwsFailure, call: AwsCall): ConnectorError | undefined {
  const options = { cause: failure.cause, details: details(failure, call) };
  const kind = kindOfName(failure.name);
  if (kind === "throttled" || failure.status === 429) {
    return new AwsThrottledError(`${subject(call)} was throttled (${failure.name})`, options);
  }
  const { status } = failure;
  // An answer that could not be read may have any status, or none. Its request may well succeed the next time.
  const unreadable = status === undefined || status < 400 || failure.name === "SyntaxError";
  if (unreadable || status >= 500 || kind === "transient") {
    return new AwsUnavailableError(`${subject(call)} failed: ${failure.message} (${failure.name})`, options);
  }
  return undefined;
}

/** Node says what went wrong in `code`, AWS in `name`. */
function nameOf(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return code !== undefined && kindOfName(code) === "network" ? code : error.name;
}

function numberIn(holder: unknown, key: string): number | undefined {
  if (typeof holder !== "object" || holder === null || !Object.hasOwn(holder, key)) return undefined;
  const value: unknown = Reflect.get(holder, key);
  return typeof value === "number" ? value : undefined;
}

function iamAction(call: AwsCall): string {
  return `${call.service.toLowerCase()}:${call.operation}`;
}

function subject(call: AwsCall): string {
  return `${call.service} ${call.operation} on ${call.resource}`;
}

function details(failure: AwsFailure, call: AwsCall): Record<string, string | number | undefined> {
  return {
    service: call.service,
    operation: call.operation,
    region: call.region,
    endpoint: call.endpoint,
    awsError: failure.name,
    httpStatus: failure.status,
  };
}
