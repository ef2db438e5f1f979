import type { Duplex } from "node:stream";
import {
  type Clock,
  ConnectorError,
  type Counter,
  crowdedController,
  type Logger,
  toError,
} from "@pulsar-ts-io/core";
import type { Authentication } from "../auth/authentication.ts";
import { ConnectionLostError, ProtocolError, PulsarTimeoutError, PulsarUnreachableError } from "../errors.ts";
import { type Deadline, Once, waitFor, withDeadline } from "../wait.ts";
import type { Commands, NamedCommand } from "../wire/command-types.ts";
import { decodeCommand, encodeCommand, sendReceiptType, splitCommand } from "../wire/commands.ts";
import { defaultMaxMessageBytes, type Frame, FrameDecoder } from "../wire/frame-decoder.ts";
import { readReceipt } from "../wire/receipt.ts";
import { keepAlive, keepAliveMs } from "./keep-alive.ts";
import { type ConsumerLink, LinkRegistry, type ProducerLink } from "./link-registry.ts";
import { PendingRequests, type RequestFields, type RequestName, type Response } from "./pending-requests.ts";
import { brokerError, serverErrors } from "./server-error.ts";
import { authResponseFrame, connectFrame } from "./session-frames.ts";
import { SocketWriter } from "./socket-writer.ts";
import { refusedIdentity } from "./tls-failure.ts";

/** Longest wait for the credentials of a handshake or of a challenge: two requests to a token issuer fit in. */
const credentialsMs = 30_000;
/** An answer that takes longer is late. */
const lateMs = 5_000;
/** A broker that lives answers a PING within this time. */
const probeMs = 4_000;
/** Longest wait for CONNECTED. */
const connectedMs = 10_000;

export interface ConnectionOptions {
  /** What people call the other side: `host:port`. */
  readonly name: string;
  readonly authentication: Authentication;
  /** `host:port` of the broker behind a proxy. */
  readonly proxyToBroker?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly operationTimeoutMs: number;
  /** Counts what a newer broker says and this client does not know. */
  readonly unknownCommands: Counter;
}

/**
 * One connection to a broker: the handshake, keep-alive, requests and their answers, and frames handed to whom they are for.
 *
 * Ends once, for one reason; everyone who waits for something learns it then. A connection is never used again.
 */
export class Connection {
  readonly name: string;
  /** Happens when the connection ends; carries why. */
  readonly ended: Once<ConnectorError> = new Once();
  readonly #socket: Duplex;
  readonly #writer: SocketWriter;
  readonly #options: ConnectionOptions;
  readonly #decoder = new FrameDecoder();
  readonly #requests = new PendingRequests();
  readonly #links = new LinkRegistry();
  readonly #connected = new Once<Commands["connected"]>();
  readonly #stop = crowdedController();
  readonly #socketClosed = new Once<true>();
  #maxMessageBytes = defaultMaxMessageBytes;
  #heard = false;
  /** How often anything arrived. */
  #chunks = 0;
  #isProbing = false;
  #jobs: Promise<void> = Promise.resolve();

  constructor(socket: Duplex, options: ConnectionOptions) {
    this.name = options.name;
    this.#socket = socket;
    this.#writer = new SocketWriter(socket);
    this.#options = options;
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("error", (error) => this.#end(refusedIdentity(this.name, error) ?? this.#lost(error)));
    socket.on("close", () => {
      this.#end(this.#lost(undefined));
      this.#socketClosed.happen(true);
    });
  }

  /** Metadata and payload of a message may not be larger: CONNECTED's `max_message_size`. */
  get maxMessageBytes(): number {
    return this.#maxMessageBytes;
  }

  /** @throws the broker's refusal, or why there was no answer; the connection has ended then. */
  async handshake(signal: AbortSignal): Promise<void> {
    const { authentication, proxyToBroker, clock } = this.#options;
    const error = () =>
      new PulsarTimeoutError(`${this.name} did not answer the handshake in ${connectedMs} ms`, {
        remedy: "check that the broker is not overloaded, and that the service URL leads to a broker",
      });
    try {
      const frame = await withDeadline(this.#credentialsDeadline, signal, (deadline) =>
        connectFrame(authentication, proxyToBroker, deadline),
      );
      this.#write(frame);
      const answer = Promise.race([this.#connected.promise, this.#failure()]);
      this.#accept(await withDeadline({ clock, ms: connectedMs, error }, signal, () => answer));
    } catch (reason) {
      this.#end(reason instanceof ConnectorError ? reason : lost(this.name, toError(reason)));
      throw reason;
    }
    this.#background(this.#stayAlive());
  }

  /**
   * Sends a request and waits for its answer: for the operation time-out at most, unless the broker says that it is queued.
   *
   * @throws the broker's refusal.
   */
  async request<N extends RequestName>(
    name: N,
    fields: RequestFields<N>,
    what: string,
    signal: AbortSignal,
  ): Promise<Response<N>> {
    const { clock, operationTimeoutMs: ms } = this.#options;
    const error = () => new PulsarTimeoutError(`${what} was not answered by ${this.name} in ${ms} ms`);
    signal.throwIfAborted();
    if (this.ended.value !== undefined) throw this.ended.value;
    const request = this.#requests.start(name, fields, what);
    try {
      this.#write(request.frame);
      const news = Promise.race([request.answer, request.queued.promise]);
      await withDeadline({ clock, ms, error }, signal, async () => {
        await this.#soon(news, error);
        return await news;
      });
      return await waitFor(request.answer, signal);
    } finally {
      this.#requests.forget(request.id);
    }
  }

  /** Sends a request whose answer, if one comes, interests nobody. */
  tell<N extends RequestName>(name: N, fields: RequestFields<N>): void {
    const request = this.#requests.start(name, fields, name);
    this.#requests.forget(request.id);
    this.#write(request.frame);
  }

  /** Asks the broker for `permits` more messages. */
  flow(consumerId: number, permits: number): void {
    this.#write(encodeCommand("flow", { consumerId, messagePermits: permits }));
  }

  /** Writes one SEND; nothing happens when the connection has ended. */
  send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#write(piece);
  }

  attachProducer(id: number, link: ProducerLink): void {
    this.#links.addProducer(id, link);
  }

  /** Nothing more is told to `link`; another link of that id stays. */
  detachProducer(id: number, link: ProducerLink): void {
    this.#links.removeProducer(id, link);
  }

  attachConsumer(id: number, link: ConsumerLink): void {
    this.#links.addConsumer(id, link);
  }

  /**
   * Ends the connection within 4 s if it is dead, so that the next attempt gets another one. Called when an answer is late: a broker
   * that lives answers a PING.
   */
  probe(why: ConnectorError): void {
    if (this.#isProbing || this.ended.value !== undefined) return;
    this.#isProbing = true;
    this.#background(this.#probe(why));
  }

  /** Ends the connection because of `error`; whoever can, connects again. */
  abandon(error: ConnectorError): void {
    this.#end(error);
  }

  /** Ends the connection and waits until its socket and timers are gone. Idempotent. */
  async close(): Promise<void> {
    this.#end(new ConnectionLostError(`the connection to ${this.name} was closed by this side`));
    await this.#socketClosed.promise;
    await this.#jobs;
  }

  #accept(connected: Commands["connected"]): void {
    if (connected.maxMessageSize !== undefined && connected.maxMessageSize > 0) {
      this.#maxMessageBytes = connected.maxMessageSize;
      this.#decoder.limitMessages(connected.maxMessageSize);
    }
  }

  /** What this connection ends with. Once for a connection: whoever waits for that is remembered until it comes. */
  async #failure(): Promise<never> {
    throw await this.ended.promise;
  }

  #receive(chunk: Uint8Array): void {
    this.#heard = true;
    this.#chunks += 1;
    try {
      this.#decoder.push(chunk, (frame) => {
        if (this.ended.value === undefined) this.#dispatch(frame);
      });
    } catch (error) {
      this.#end(
        new ProtocolError(
          `${this.name} sent something that cannot be understood: ${toError(error).message}`,
          {
            cause: error,
            remedy:
              "check that the service URL is a broker's binary port, with pulsar+ssl:// if it speaks TLS",
          },
        ),
      );
    }
  }

  #dispatch(frame: Frame): void {
    const raw = splitCommand(frame.command);
    if (raw.type === sendReceiptType) {
      this.#links.receipt(readReceipt(raw.content));
      return;
    }
    const command = decodeCommand(raw);
    if (command === undefined) {
      this.#options.unknownCommands.add(1);
      this.#options.logger.debug({ type: raw.type }, "command of unknown type ignored");
    } else this.#handle(command, frame.rest);
  }

  #handle(command: NamedCommand, rest: Uint8Array): void {
    switch (command.name) {
      case "ping":
        this.#write(encodeCommand("pong", {}));
        break;
      case "connected":
        this.#connected.happen(command.fields);
        break;
      case "authChallenge":
        this.#background(this.#answerChallenge());
        break;
      case "error":
        this.#refused(command.fields);
        break;
      default:
        if (!this.#links.dispatch(command, rest)) this.#requests.answer(command);
    }
  }

  #refused(error: Commands["error"]): void {
    if (this.#requests.refuse(error)) return;
    // Not the answer to a request: the handshake, or a refresh of the credentials, was refused.
    if (error.error === serverErrors.authentication) this.#options.authentication.forget?.();
    this.#end(brokerError(error, `the connection to ${this.name}`, "connect"));
  }

  async #answerChallenge(): Promise<void> {
    const { authentication, logger } = this.#options;
    try {
      const frame = await withDeadline(this.#credentialsDeadline, this.#stop.signal, (deadline) =>
        authResponseFrame(authentication, deadline),
      );
      this.#write(frame);
    } catch (error) {
      // The broker closes the connection when no answer comes; the next handshake reads the credentials again.
      if (this.ended.value === undefined)
        logger.warn({ err: error, broker: this.name }, "credentials could not be refreshed");
    }
  }

  get #credentialsDeadline(): Deadline {
    const error = () =>
      new PulsarTimeoutError(`the credentials for ${this.name} were not there in ${credentialsMs} ms`, {
        remedy: "check the file or the token issuer that the authentication parameters name",
      });
    return { clock: this.#options.clock, ms: credentialsMs, error };
  }

  async #stayAlive(): Promise<void> {
    const pulse = {
      ping: () => this.#write(encodeCommand("ping", {})),
      heard: () => {
        const heard = this.#heard;
        this.#heard = false;
        return heard;
      },
    };
    await keepAlive(pulse, this.#options.clock, this.#stop.signal);
    this.#end(lost(this.name, new Error(`nothing was heard for ${keepAliveMs} ms`)));
  }

  /** Waits for `answer`, for 5 s at most: then it is late, and the connection is probed. */
  async #soon(answer: Promise<unknown>, why: () => ConnectorError): Promise<void> {
    const { clock } = this.#options;
    const late = { clock, ms: lateMs, error: why };
    try {
      await withDeadline(late, this.#stop.signal, () => answer);
    } catch (reason) {
      if (reason instanceof PulsarTimeoutError) this.probe(reason);
    }
  }

  async #probe(why: ConnectorError): Promise<void> {
    const before = this.#chunks;
    this.#write(encodeCommand("ping", {}));
    await this.#options.clock.sleep(probeMs, this.#stop.signal);
    this.#isProbing = false;
    if (this.#chunks === before) this.#end(lost(this.name, why));
  }

  #lost(cause: Error | undefined): ConnectorError {
    if (this.#connected.value !== undefined) return lost(this.name, cause);
    const remedy = this.#options.authentication.tlsIdentity === undefined ? portRemedy : certificateRemedy;
    return hungUp(this.name, cause, remedy);
  }

  #background(job: Promise<void>): void {
    // Both jobs end by themselves or by the stop signal; `close` waits for them.
    this.#jobs = Promise.allSettled([this.#jobs, job]).then(() => undefined);
  }

  #write(bytes: Uint8Array): void {
    if (this.ended.value === undefined) this.#writer.write(bytes);
  }

  #end(error: ConnectorError): void {
    if (this.ended.value !== undefined) return;
    this.ended.happen(error);
    this.#stop.abort(error);
    this.#socket.destroy();
    this.#requests.end(error);
    this.#links.end(error);
  }
}

const portRemedy = "check that it is a broker's binary port, and use pulsar+ssl:// where that speaks TLS";
const certificateRemedy =
  "check that the broker trusts the authority of the client certificate, and that it has not expired";

/** A broker says at least why it refuses somebody, unless it refuses the certificate: then its word may be lost with the connection. */
function hungUp(name: string, cause: Error | undefined, remedy: string): PulsarUnreachableError {
  const why = cause === undefined ? "" : `: ${cause.message}`;
  return new PulsarUnreachableError(`${name} hung up before it answered the handshake${why}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { broker: name },
    remedy,
  });
}

function lost(name: string, cause: Error | undefined): ConnectionLostError {
  const why = cause === undefined ? "closed by the other side" : cause.message;
  return new ConnectionLostError(`the connection to ${name} was lost: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { broker: name },
  });
}
