import { randomUUID } from "node:crypto";
import { type AwsPlace, placeOfRequest } from "./aws-endpoint.ts";

/** A command of the SDK, as far as this module looks at it. */
export interface SentCommand {
  readonly input: object;
}

export type CommandClass = abstract new (...input: never[]) => SentCommand;

/** The parts of a client of the SDK that a request is made of, sent with and read by. */
export interface DirectClient {
  readonly config: {
    readonly credentials?: ((options?: { forceRefresh?: boolean }) => Promise<unknown>) | undefined;
  };
}

interface Request {
  headers: Record<string, string>;
  body?: unknown;
}

interface Response {
  readonly statusCode: number;
}

interface Protocol {
  serializeRequest(operation: object, input: object, context: object): Promise<Request>;
  deserializeResponse(operation: object, context: object, response: Response): Promise<unknown>;
}

interface Handler {
  handle(request: Request, options: { readonly abortSignal: AbortSignal }): Promise<{ response: Response }>;
}

interface Signer {
  sign(request: Request, identity: unknown, properties: object): Promise<Request>;
}

/** What the SDK decided for the first call of a command, and what stays so. */
interface Route {
  readonly operation: object;
  readonly context: object;
  readonly headers: Readonly<Record<string, string>>;
  readonly signer: Signer;
  readonly signingProperties: object;
  readonly place: AwsPlace | undefined;
}

/** Headers that each request has of its own. */
const ownHeaders = new Set([
  "authorization",
  "amz-sdk-invocation-id",
  "content-length",
  "content-type",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-security-token",
]);

/** Sends a call, perhaps more than once. */
export type Around = <A, R>(next: (args: A) => Promise<R>) => (args: A) => Promise<R>;

/**
 * Sends the calls that a source makes again and again without the SDK's chain of steps, which costs more CPU time than signing, sending
 * and reading together.
 *
 * The first call of a command takes the chain. From then on a call is made of the same parts of the SDK: its protocol, its signer, its
 * request handler, its credentials, and what the chain chose beside them, such as the endpoint and the user agent. A call that fails
 * makes the next one take the chain again, so that whatever has changed is decided anew.
 */
export class DirectCalls {
  readonly #client: DirectClient;
  readonly #commands: ReadonlySet<unknown>;
  readonly #around: Around;
  readonly #routes = new Map<unknown, Route>();

  /** @param around called for each call with what sends it once. */
  constructor(client: DirectClient, commands: readonly CommandClass[], around: Around = (next) => next) {
    this.#client = client;
    this.#commands = new Set(commands);
    this.#around = around;
  }

  /**
   * Notes how the chain has sent a command that was answered.
   *
   * @param context of the SDK's chain, @param request as it was signed.
   */
  learn(command: object, context: object, request: unknown): void {
    if (!this.#commands.has(command.constructor) || this.#routes.has(command.constructor)) return;
    const route = routeOf(this.#client.config, context, request);
    if (route !== undefined) this.#routes.set(command.constructor, route);
  }

  /** Where a command goes that {@link send} would send; `undefined` for one that takes the chain. */
  placeOf(command: object): AwsPlace | undefined {
    return this.#routes.get(command.constructor)?.place;
  }

  /** @returns `undefined` for a command that takes the chain. @throws what the SDK's parts throw. */
  send(command: SentCommand, abortSignal: AbortSignal): Promise<unknown> | undefined {
    const route = this.#routes.get(command.constructor);
    if (route === undefined) return undefined;
    return this.#around(() => this.#sendOnce(route, command, abortSignal))(command).catch(
      (error: unknown) => {
        this.#routes.delete(command.constructor);
        throw error;
      },
    );
  }

  async #sendOnce(route: Route, { input }: SentCommand, abortSignal: AbortSignal): Promise<unknown> {
    const { operation, context, signer, signingProperties } = route;
    const { protocol, requestHandler, credentials } = partsOf(this.#client.config);
    const request = await protocol.serializeRequest(operation, input, context);
    request.headers = {
      ...route.headers,
      ...request.headers,
      "content-length": String(lengthOf(request.body)),
      "amz-sdk-invocation-id": randomUUID(),
    };
    const signed = await signer.sign(request, await credentials?.(), signingProperties);
    const { response } = await requestHandler.handle(signed, { abortSignal });
    try {
      return await protocol.deserializeResponse(operation, context, response);
    } catch (error) {
      // As the chain does with an answer that cannot be read.
      if (error instanceof Error && !("$metadata" in error))
        Object.assign(error, { $metadata: { httpStatusCode: response.statusCode } });
      throw error;
    }
  }
}

/** The SDK types them for each client anew, and more widely than they are. */
function partsOf(config: object): {
  readonly protocol: Protocol;
  readonly requestHandler: Handler;
  readonly credentials: DirectClient["config"]["credentials"];
} {
  return config as ReturnType<typeof partsOf>;
}

/** @returns `undefined` where the installed SDK does not have what is needed: calls take the chain then. */
function routeOf(config: object, context: object, request: unknown): Route | undefined {
  const smithy: unknown = Reflect.get(context, "__smithy_context");
  const schema = fieldOf(smithy, "operationSchema");
  const scheme = fieldOf(smithy, "selectedHttpAuthScheme");
  const signer = fieldOf(scheme, "signer");
  const signingProperties = fieldOf(fieldOf(scheme, "httpAuthOption"), "signingProperties") ?? {};
  const headers = fieldOf(request, "headers");
  const endpoint = endpointOf(request);
  if (!Array.isArray(schema) || !isSigner(signer) || endpoint === undefined || typeof headers !== "object")
    return undefined;
  const [, namespace, name, traits, input, output] = schema;
  const { protocol, requestHandler } = partsOf(config);
  if (typeof protocol?.serializeRequest !== "function" || typeof requestHandler?.handle !== "function")
    return undefined;
  const kept = Object.entries(headers ?? {}).filter(([header]) => !ownHeaders.has(header));
  return {
    operation: { namespace, name, traits, input, output },
    context: { ...config, ...context, endpoint: () => Promise.resolve(endpoint) },
    headers: Object.fromEntries(kept),
    signer,
    signingProperties: Object(signingProperties),
    place: placeOfRequest(request),
  };
}

function endpointOf(request: unknown): object | undefined {
  const [protocol, hostname] = [fieldOf(request, "protocol"), fieldOf(request, "hostname")];
  if (typeof protocol !== "string" || typeof hostname !== "string") return undefined;
  const { port, path } = request as { readonly port?: number; readonly path?: string };
  return { protocol, hostname, port, path: path ?? "/", query: undefined };
}

function isSigner(value: unknown): value is Signer {
  return typeof fieldOf(value, "sign") === "function";
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function lengthOf(body: unknown): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : 0;
}
