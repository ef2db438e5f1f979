import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@pulsar-ts-io/core";
import type { Command, HttpHandlerOptions, MetadataBearer, MiddlewareStack } from "@smithy/types";
import { type AwsPlace, type EndpointConfig, placeOfRequest, placeOfService } from "./aws-endpoint.ts";
import { kindOfName } from "./aws-error-names.ts";
import { type AwsCall, type AwsFailure, isPassingAwsError, readAwsFailure } from "./aws-failure.ts";
import { CallDeadlines } from "./call-deadlines.ts";
import type { CallTurns } from "./call-turns.ts";
import { type Around, type CommandClass, DirectCalls, type SentCommand } from "./direct-calls.ts";

/** The part of an SDK's client that this module uses. */
interface SdkClient<In extends object, Out extends MetadataBearer> {
  readonly config: SdkClientConfig;
  readonly middlewareStack: MiddlewareStack<In, Out>;
  send<I extends In, O extends Out>(
    command: Command<In, I, Out, O, SdkCommandConfig>,
    options?: HttpHandlerOptions,
  ): Promise<O>;
  destroy(): void;
}

/** What sends a request of the SDK. */
interface Sender {
  handle(request: unknown, options?: HttpHandlerOptions): Promise<{ readonly response: unknown }>;
}

interface SdkClientConfig extends EndpointConfig {
  readonly requestHandler: Sender;
  readonly credentials?: ((options?: { forceRefresh?: boolean }) => Promise<unknown>) | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the SDK's own constraint; the configuration is never read here
type SdkCommandConfig = any;

export interface AwsServiceOptions {
  readonly clock: Clock;
  /** Longest time from the request to the last byte of its answer, all attempts of the client included, milliseconds. */
  readonly callWithinMs: number;
  /** Whether a setting says where the service is, rather than AWS's own data. */
  readonly customEndpoint: boolean;
  /** Spreads the beginning of calls; absent: each begins at once. */
  readonly turns?: CallTurns;
  /** The commands that are sent again and again; absent: none. */
  readonly often?: readonly CommandClass[];
  /** Whether one of them that fails for a reason that passes is sent once more, by the client, which may have attempts of its own. */
  readonly oftenAgain?: boolean;
  /** Sends a call of one of them, perhaps more than once. */
  readonly around?: Around;
}

interface CallOptions {
  /** The answer is a stream that outlives the call: the signal keeps ending it. */
  readonly streams?: boolean;
  /** Longest time of this call instead of {@link AwsServiceOptions.callWithinMs}, milliseconds. */
  readonly withinMs?: number;
}

/** Longest time for the credentials of a call, milliseconds. The connector's own provider ends sooner, with a better error. */
const credentialsWithinMs = 12_000;

/** Pause before a call is sent once more, milliseconds; up to twice that. As long as the SDK's own. */
const againMs = 50;

/** A call that did not end within its time. */
class CallTimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * One AWS service, and the only way to call it: the SDK's client stays inside.
 *
 * Every call ends within {@link AwsServiceOptions.callWithinMs}, or what it says itself, after its credentials are known, and those are known, or the call
 * fails, within 12 s. This holds whatever part hangs: credentials, signing, DNS, connecting, TLS, sending or the body of the answer.
 * When the signal aborts, the call ends at once. An answer that arrives later is dropped.
 */
export class AwsService<In extends object, Out extends MetadataBearer> {
  readonly #client: SdkClient<In, Out>;
  readonly #options: AwsServiceOptions;
  /** Where the latest request of a command went, and then where the call went that failed with an error. */
  readonly #places = new WeakMap<object, AwsPlace>();
  readonly #deadlines: CallDeadlines;
  readonly #direct: DirectCalls;
  #renewCredentials = false;

  constructor(client: SdkClient<In, Out>, options: AwsServiceOptions) {
    this.#client = client;
    this.#options = options;
    this.#deadlines = new CallDeadlines(options.clock);
    this.#direct = new DirectCalls(client, options.often ?? [], options.around);
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const command = context["__smithy_context"]?.["commandInstance"];
        const place = placeOfRequest(args.request);
        if (typeof command === "object" && command !== null && place !== undefined) {
          this.#places.set(command, place);
        }
        const answer = await next(args);
        if (typeof command === "object" && command !== null)
          this.#direct.learn(command, context, args.request);
        return answer;
      },
      { step: "finalizeRequest", name: "notePlace" },
    );
  }

  /** What sends each request, for tests that watch the wire. */
  get requestHandler(): Sender {
    return this.#client.config.requestHandler;
  }

  /** The steps of a call that takes the SDK's chain, for tests. */
  get middlewareStack(): MiddlewareStack<In, Out> {
    return this.#client.middlewareStack;
  }

  get region(): Promise<string> {
    return this.#client.config.region();
  }

  /** @throws what the client throws, {@link CallTimeoutError}, or the reason of `signal`. */
  async call<I extends In, O extends Out>(
    command: Command<In, I, Out, O, SdkCommandConfig>,
    signal: AbortSignal,
    options: CallOptions = {},
  ): Promise<O> {
    await this.#options.turns?.next();
    await this.authenticate(signal);
    signal.throwIfAborted();
    const directPlace = this.#direct.placeOf(command);
    const inner = new AbortController();
    try {
      return await this.#within(
        { ms: options.withinMs ?? this.#options.callWithinMs, what: "the call", ...options },
        signal,
        this.#send(command, inner.signal),
        (reason) => inner.abort(reason),
      );
    } catch (error) {
      // The SDK keeps using credentials until the time they name, also when AWS says that they have expired.
      const { name, cause } = readAwsFailure(error);
      if (kindOfName(name) === "expired") this.#renewCredentials = true;
      const place = this.#places.get(command) ?? directPlace;
      if (place !== undefined) this.#places.set(cause, place);
      throw cause;
    }
  }

  /** Gets the credentials that calls are signed with. @throws what their provider throws, or the reason of `signal`. */
  async authenticate(signal: AbortSignal): Promise<void> {
    const { credentials } = this.#client.config;
    const forceRefresh = this.#renewCredentials;
    this.#renewCredentials = false;
    signal.throwIfAborted();
    const limit = { ms: credentialsWithinMs, what: "getting credentials" };
    const got = Promise.resolve(credentials?.({ forceRefresh }));
    await this.#within(limit, signal, got, () => {});
  }

  /** Where a call went that {@link call} threw `cause` for, or, if it was not sent, where the service is. For error messages. */
  async describe({
    cause,
  }: Pick<AwsFailure, "cause">): Promise<AwsPlace & Pick<AwsCall, "region" | "customEndpoint">> {
    const { config } = this.#client;
    const { customEndpoint } = this.#options;
    const sent = this.#places.get(cause);
    return { region: await config.region(), customEndpoint, ...(sent ?? (await placeOfService(config))) };
  }

  /** Closes the connections. Idempotent. */
  destroy(): void {
    this.#client.destroy();
  }

  /** Async: the SDK may also throw before it returns a promise. */
  async #send<I extends In, O extends Out>(
    command: Command<In, I, Out, O, SdkCommandConfig>,
    abortSignal: AbortSignal,
  ): Promise<O> {
    const direct = this.#direct.send(command as SentCommand, abortSignal);
    if (direct === undefined) return await this.#client.send(command, { abortSignal });
    try {
      // A command is answered with its output.
      return (await direct) as O;
    } catch (error) {
      if (this.#options.oftenAgain !== true || abortSignal.aborted || !isPassingAwsError(error)) throw error;
    }
    await delay(againMs + againMs * Math.random(), undefined, { signal: abortSignal });
    return await this.#client.send(command, { abortSignal }).catch((error: unknown) => {
      throw withOneAttemptMore(error);
    });
  }

  /** Waits for `work` until its limit ends or `signal` aborts. @param cut called with the reason when the wait ends early. */
  async #within<T>(
    limit: { readonly ms: number; readonly what: string } & CallOptions,
    signal: AbortSignal,
    work: Promise<T>,
    cut: (reason: unknown) => void,
  ): Promise<T> {
    const { promise, resolve, reject } = settledLater<T>();
    const give = (reason: unknown) => {
      reject(reason);
      cut(reason);
    };
    const onAbort = () => give(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const endWatch = this.#deadlines.watch(limit.ms, () =>
      give(new CallTimeoutError(`${limit.what} did not end within ${limit.ms / 1_000} s`)),
    );
    work.then(resolve, reject);
    let ended = false;
    try {
      const answer = await promise;
      ended = limit.streams !== true;
      return answer;
    } catch (error) {
      ended = true;
      throw error;
    } finally {
      endWatch();
      if (ended) signal.removeEventListener("abort", onAbort);
    }
  }
}

/** A write that was refused may have been done by the attempt before it. */
function withOneAttemptMore(thrown: unknown): unknown {
  const { cause, attempts, status } = readAwsFailure(thrown);
  return Object.assign(cause, { $metadata: { httpStatusCode: status, attempts: attempts + 1 } });
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function settledLater<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}
