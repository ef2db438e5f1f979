import type { OperationContext } from "./operation-context.ts";
import { ServiceError } from "./service-error.ts";
import { iteratorTypes, startingOffset } from "./shard-iterator.ts";
import { statusOf } from "./stream-consumers.ts";
import { Subscription } from "./subscription.ts";

/**
 * Subscribes, and ends the subscription that the consumer had to the shard: that fails with ResourceInUseException.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
 */
export function subscribeToShard(context: OperationContext): Subscription {
  const { fields, model, nowMs } = context;
  const { stream, consumer } = model.consumerByArn(fields.string("ConsumerARN"));
  const shard = stream.shard(fields.string("ShardId"), nowMs);
  const offset = startingOffset(stream, shard, startingPoint(context), nowMs);
  if (statusOf(consumer, nowMs) !== "ACTIVE") throw inUse(`Consumer ${consumer.arn} is not ACTIVE.`);
  const former = consumer.subscriptions.get(shard.id);
  if (former?.exclusive === true) {
    throw inUse(`Another active subscription exists for consumer ${consumer.arn} and shard ${shard.id}.`);
  }
  former?.end(inUse(`Another subscription to shard ${shard.id} took over.`));
  const subscription = new Subscription({ stream, shard, offset, clock: model.clock });
  consumer.subscriptions.set(shard.id, subscription);
  return subscription;
}

function startingPoint(context: OperationContext) {
  const position = context.fields.object("StartingPosition");
  return {
    type: position.choice("Type", iteratorTypes),
    sequenceNumber: position.optionalSequenceNumber("SequenceNumber"),
    timestampMs: position.optionalTimestampMs("Timestamp"),
  };
}

function inUse(message: string): ServiceError {
  return new ServiceError("ResourceInUseException", message);
}
