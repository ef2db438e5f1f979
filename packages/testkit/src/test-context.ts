import { type SourceContext, silentTroubles } from "@pulsar-ts-io/core";
import { MemoryStateStore } from "./memory-state-store.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { RecordingMeter } from "./recording-meter.ts";
import { TestClock } from "./test-clock.ts";

/**
 * What a host gives to `open`, for a source's own tests: one instance, at least once, a clock that stands still, a state of its own.
 *
 * @param given what shall be different: the state of a run before, say, or the signal that stops this one.
 */
export function testContext(given: Partial<SourceContext> = {}): SourceContext {
  return {
    signal: new AbortController().signal,
    clock: new TestClock(),
    logger: new RecordingLogger(),
    meter: new RecordingMeter(),
    troubles: silentTroubles,
    tenant: "public",
    namespace: "default",
    sourceName: "test",
    instanceId: 0,
    numInstances: 1,
    outputTopic: "test",
    guarantee: "ATLEAST_ONCE",
    state: new MemoryStateStore(),
    secret: () => undefined,
    recordMetric: () => undefined,
    releasePartition: () => Promise.resolve(),
    fatal: (error) => {
      throw error;
    },
    ...given,
  };
}
