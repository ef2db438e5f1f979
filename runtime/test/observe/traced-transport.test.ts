import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { type Delivery, defaultPublisherOptions } from "@pulsar-ts-io/pulsar";
import { afterEach, describe, expect, it } from "vitest";
import { traced } from "../../src/observe/traced-transport.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

const exporter = new InMemorySpanExporter();
const topic = "persistent://public/default/out";
const silent: Delivery = { stored: () => undefined, failed: () => undefined };

/** An SDK, as a program that wants traces registers it. */
function registerSdk(): void {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

async function open(transport: StepTransport) {
  return await traced(transport).open(topic, defaultPublisherOptions, new AbortController().signal);
}

afterEach(() => {
  for (const api of [trace, propagation, context]) api.disable();
  exporter.reset();
});

describe("traced", () => {
  it("leaves a transport as it is where no SDK is registered: that costs nothing", () => {
    const transport = new StepTransport();
    expect(traced(transport)).toBe(transport);
  });

  it("makes a span of each message, from its sending to its receipt", async () => {
    registerSdk();
    const transport = new StepTransport();
    const publisher = await open(transport);
    const stored: unknown[] = [];
    publisher.send({ value: new Uint8Array(5) }, { ...silent, stored: (id) => void stored.push(id) }, 7n);
    expect(exporter.getFinishedSpans()).toEqual([]);
    transport.confirm();
    expect(stored).toHaveLength(1);
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({
      name: `send ${topic}`,
      kind: SpanKind.PRODUCER,
      attributes: {
        "messaging.system": "pulsar",
        "messaging.destination.name": topic,
        "messaging.message.body.size": 5,
        "messaging.message.id": "1:1:-1:-1",
      },
    });
  });

  it("tells the reader of its trace, and follows that which the record came with", async () => {
    registerSdk();
    const transport = new StepTransport();
    const publisher = await open(transport);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const properties = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, kept: "yes" };
    const value = new Uint8Array([1]);
    publisher.send({ value, key: "k", eventTime: 9, properties }, silent);
    const [sent] = transport.unsettled;
    expect(sent?.message).toMatchObject({ key: "k", eventTime: 9, properties: { kept: "yes" } });
    expect(sent?.message.value).toBe(value);
    transport.confirm();
    const spanId = exporter.getFinishedSpans()[0]?.spanContext().spanId;
    expect(sent?.message.properties?.["traceparent"]).toBe(`00-${traceId}-${spanId}-01`);
    expect(properties.traceparent).toContain("b7ad6b7169203331");
  });

  it("ends the span of a refused message with the error", async () => {
    registerSdk();
    const transport = new StepTransport();
    const publisher = await open(transport);
    const errors: Error[] = [];
    publisher.send({ value: new Uint8Array(1) }, { ...silent, failed: (error) => void errors.push(error) });
    const refusal = new TestPublishError("too large");
    transport.refuse(0, refusal);
    expect(errors).toEqual([refusal]);
    expect(exporter.getFinishedSpans()[0]).toMatchObject({
      attributes: { "error.type": "PIO_TEST_REFUSED" },
      status: { code: SpanStatusCode.ERROR, message: "too large" },
    });
  });
});
