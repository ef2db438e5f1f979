import { toError } from "@pulsar-ts-io/core";
import type { FaultRule } from "./faults.ts";
import type { KinesisService } from "./kinesis-service.ts";

export interface ControlAnswer {
  readonly status: number;
  readonly value: unknown;
}

/**
 * Controls a double that runs in a process of its own, over plain JSON:
 *
 * - `POST /_double/faults` with a {@link FaultRule}; a `count` of null hits every call. `DELETE` ends all.
 * - `POST /_double/limits` with `{ "reads": true, "writes": false }`
 * - `POST /_double/recreate` with `{ "streamName": "s", "shardCount": 2 }`
 * - `GET /_double/calls` answers how often each operation was called.
 * - `GET /_double/metrics` answers the metrics that were put.
 */
export function control(service: KinesisService, request: string, body: Buffer): ControlAnswer {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
    return { status: 200, value: perform(service, request, value) };
  } catch (error) {
    return { status: 400, value: { error: toError(error).message } };
  }
}

function perform(service: KinesisService, request: string, value: unknown): unknown {
  switch (request) {
    case "POST /_double/faults":
      service.faults.add(faultRule(value));
      return {};
    case "DELETE /_double/faults":
      service.faults.clear();
      return {};
    case "POST /_double/limits": {
      const { reads, writes } = value as { reads?: boolean; writes?: boolean }; // our own tests' words
      service.limits.enforceReads = reads ?? service.limits.enforceReads;
      service.limits.enforceWrites = writes ?? service.limits.enforceWrites;
      return {};
    }
    case "POST /_double/recreate": {
      const { streamName, shardCount } = value as { streamName: string; shardCount: number }; // as above
      service.model.recreateStream(streamName, shardCount);
      return {};
    }
    case "GET /_double/calls":
      return service.callCounts();
    case "GET /_double/metrics":
      return service.ledger.metrics;
    default:
      throw new RangeError(`the double has no ${request}`);
  }
}

function faultRule(value: unknown): FaultRule {
  const { count, ...rule } = value as Omit<FaultRule, "count"> & { count?: number | null }; // as above
  if (typeof rule.operation !== "string" || typeof rule.effect?.kind !== "string") {
    throw new TypeError("a fault needs an operation and an effect");
  }
  return { ...rule, count: count === null ? Number.POSITIVE_INFINITY : count };
}
