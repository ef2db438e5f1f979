import {
  type Attributes,
  context,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { ConnectorError } from "@pulsar-ts-io/core";
import type {
  Delivery,
  MessageId,
  OutgoingMessage,
  Publisher,
  PublisherOptions,
  Transport,
} from "@pulsar-ts-io/pulsar";

/** `transport` with a span for each message, if this process has registered an OpenTelemetry SDK; else itself. */
export function traced(transport: Transport): Transport {
  const tracer = registeredTracer();
  return tracer === undefined ? transport : new TracedTransport(transport, tracer);
}

/** The API's own provider hands out tracers that do nothing, until an SDK stands behind it. */
function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  if (provider instanceof ProxyTracerProvider) return provider.getDelegateTracer("pulsar-ts-io");
  return provider.getTracer("pulsar-ts-io");
}

class TracedTransport implements Transport {
  readonly #inner: Transport;
  readonly #tracer: Tracer;

  constructor(inner: Transport, tracer: Tracer) {
    this.#inner = inner;
    this.#tracer = tracer;
  }

  async open(topic: string, options: PublisherOptions, signal: AbortSignal): Promise<Publisher> {
    return new TracedPublisher(await this.#inner.open(topic, options, signal), topic, this.#tracer);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

class TracedPublisher implements Publisher {
  readonly #inner: Publisher;
  readonly #tracer: Tracer;
  readonly #name: string;
  /** The conventions' names for messaging. */
  readonly #attributes: Attributes;

  constructor(inner: Publisher, topic: string, tracer: Tracer) {
    this.#inner = inner;
    this.#tracer = tracer;
    this.#name = `send ${topic}`;
    this.#attributes = {
      "messaging.system": "pulsar",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": topic,
    };
  }

  /** What a record says of the trace it belongs to is followed, and its reader is told of ours, by its properties. */
  send(message: OutgoingMessage, delivery: Delivery, sequenceId?: bigint): void {
    const properties = { ...message.properties };
    const parent = propagation.extract(ROOT_CONTEXT, properties);
    const attributes = { ...this.#attributes, "messaging.message.body.size": message.value.byteLength };
    const span = this.#tracer.startSpan(this.#name, { kind: SpanKind.PRODUCER, attributes }, parent);
    propagation.inject(trace.setSpan(parent, span), properties);
    const { value, key, orderingKey, eventTime } = message;
    const told = { value, key, orderingKey, properties, eventTime };
    context.with(trace.setSpan(parent, span), () =>
      this.#inner.send(told, new TracedDelivery(delivery, span), sequenceId),
    );
  }

  get lastSequenceIds(): readonly bigint[] | undefined {
    return this.#inner.lastSequenceIds;
  }

  get full(): boolean {
    return this.#inner.full;
  }

  room(signal: AbortSignal): Promise<void> {
    return this.#inner.room(signal);
  }

  flush(signal: AbortSignal): Promise<void> {
    return this.#inner.flush(signal);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}

/** Ends the span of a message with what became of it. */
class TracedDelivery implements Delivery {
  readonly #inner: Delivery;
  readonly #span: Span;

  constructor(inner: Delivery, span: Span) {
    this.#inner = inner;
    this.#span = span;
  }

  stored(id: MessageId | undefined): void {
    if (id !== undefined) {
      const { ledgerId, entryId, partition, batchIndex } = id;
      this.#span.setAttribute("messaging.message.id", `${ledgerId}:${entryId}:${partition}:${batchIndex}`);
    }
    this.#span.end();
    this.#inner.stored(id);
  }

  failed(error: ConnectorError): void {
    this.#span.setAttribute("error.type", error.code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    this.#span.end();
    this.#inner.failed(error);
  }
}
