import type { OperationContext } from "./operation-context.ts";
import type { Stream } from "./stream.ts";
import { type StreamConsumer, statusOf } from "./stream-consumers.ts";
import { wireTime } from "./wire-shapes.ts";

export function registerStreamConsumer(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  const consumer = context.activeStream().consumers.register(fields.string("ConsumerName"), nowMs);
  return { Consumer: wireConsumer(consumer, nowMs) };
}

export function describeStreamConsumer(context: OperationContext): unknown {
  const { stream, consumer } = named(context);
  return {
    ConsumerDescription: { ...wireConsumer(consumer, context.nowMs), StreamARN: stream.arn },
  };
}

export function deregisterStreamConsumer(context: OperationContext): unknown {
  const { stream, consumer } = named(context);
  stream.consumers.deregister(consumer);
  return {};
}

export function listStreamConsumers(context: OperationContext): unknown {
  const { fields, nowMs } = context;
  const limit = fields.optionalInteger("MaxResults", 1, 10_000) ?? 100;
  const after = fields.optionalString("NextToken") ?? "";
  const rest = context
    .stream()
    .consumers.list()
    .filter((consumer) => consumer.name > after);
  const shown = rest.slice(0, limit);
  return {
    Consumers: shown.map((consumer) => wireConsumer(consumer, nowMs)),
    ...(rest.length > shown.length ? { NextToken: shown.at(-1)?.name } : {}),
  };
}

/** The consumer that `ConsumerARN`, else `StreamARN` and `ConsumerName`, names. */
function named(context: OperationContext): { readonly stream: Stream; readonly consumer: StreamConsumer } {
  const arn = context.fields.optionalString("ConsumerARN");
  if (arn !== undefined) return context.model.consumerByArn(arn);
  const stream = context.stream();
  return { stream, consumer: stream.consumers.byName(context.fields.string("ConsumerName")) };
}

function wireConsumer(consumer: StreamConsumer, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    ConsumerName: consumer.name,
    ConsumerARN: consumer.arn,
    ConsumerStatus: statusOf(consumer, nowMs),
    ConsumerCreationTimestamp: wireTime(consumer.createdMs),
  };
}
