import { type Clock, type ConnectorError, remedyOf, toError } from "@pulsar-ts-io/core";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@pulsar-ts-io/kinesis-consumer";
import { KinesisCredentialsError } from "./errors.ts";

/** One attempt to get credentials, by a provider of its own. */
export interface CredentialAttempt {
  readonly identity: Promise<AwsCredentialIdentity>;
  /** Ends what the attempt still does. Idempotent. */
  abandon(): void;
}

export interface FreshCredentialsOptions {
  readonly clock: Clock;
  /** Starts an attempt with a new provider. */
  readonly attempt: () => CredentialAttempt;
  /** The error when no attempt answers in time. */
  readonly late: (withinMs: number) => ConnectorError;
}

/** Longest time to get credentials, milliseconds. */
const withinMs = 10_000;
/** A source that is silent for so long gets a second request: the first one may be lost. */
const secondAttemptMs = 4_000;
/** The SDKs renew credentials five minutes before they expire. */
const renewBeforeMs = 300_000;
/** In the last seconds a call might arrive after they expire. */
const unusableMs = 10_000;
/** Between two attempts to renew credentials that are still valid, and between two forced renewals. */
const pauseMs = 10_000;

/**
 * Provides credentials, and asks a new provider of the SDK each time: a provider whose request hangs hands the same hanging promise
 * to every later caller.
 *
 * - It answers or fails within 10 s. Callers at the same time share the attempts.
 * - After 4 s of silence a second attempt runs beside the first one; the first answer counts. A later one is dropped.
 * - Credentials that are still valid are given while a renewal fails.
 */
export function freshCredentials(options: FreshCredentialsOptions): AwsCredentialIdentityProvider {
  const { clock } = options;
  let known: AwsCredentialIdentity | undefined;
  let obtainedMs = Number.NEGATIVE_INFINITY;
  let failedMs = Number.NEGATIVE_INFINITY;
  let pending: Promise<AwsCredentialIdentity> | undefined;
  const renew = () => {
    pending ??= (async () => {
      try {
        known = await obtain(options);
        obtainedMs = clock.monotonic();
        return known;
      } catch (error) {
        failedMs = clock.monotonic();
        // What has worked may work again without anyone changing anything.
        throw known === undefined ? error : renewalFailed(toError(error));
      } finally {
        pending = undefined;
      }
    })();
    return pending;
  };
  return async ({ forceRefresh = false } = {}) => {
    const nowMs = clock.monotonic();
    if (forceRefresh && nowMs - obtainedMs > pauseMs) return await renew();
    if (known === undefined) return await renew();
    const leftMs = (known.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - clock.now();
    if (leftMs <= unusableMs) return await renew();
    if (leftMs <= renewBeforeMs && nowMs - failedMs > pauseMs) renew().catch(() => {});
    return known;
  };
}

async function obtain({ clock, attempt, late }: FreshCredentialsOptions): Promise<AwsCredentialIdentity> {
  const over = new AbortController();
  const attempts: CredentialAttempt[] = [];
  const start = () => {
    const next = attempt();
    attempts.push(next);
    return next.identity;
  };
  try {
    const first = start();
    const second = clock.sleep(secondAttemptMs, over.signal).then(start);
    const limit = clock.sleep(withinMs, over.signal).then(() => {
      throw late(withinMs);
    });
    for (const promise of [first, second, limit]) promise.catch(() => {});
    // A refusal of the first attempt counts at once, unless a second one is under way.
    const answer = first.catch(async (error) => {
      if (attempts.length === 1) throw error;
      return await second;
    });
    const either = second.catch(() => answer);
    answer.catch(() => {});
    either.catch(() => {});
    return await Promise.race([answer, either, limit]);
  } finally {
    over.abort(new Error("the credentials are known"));
    for (const { abandon } of attempts) abandon();
  }
}

function renewalFailed(cause: Error): KinesisCredentialsError {
  return new KinesisCredentialsError(cause.message, { cause, remedy: remedyOf(cause), retryable: true });
}
