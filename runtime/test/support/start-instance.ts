import { type Source, silentLogger, silentMeter, systemClock, TroubleLog } from "@pulsar-ts-io/core";
import { defaultPublisherOptions, type Transport } from "@pulsar-ts-io/pulsar";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { Instance } from "../../src/instance/instance.ts";
import type { InstanceOptions } from "../../src/instance/instance-options.ts";
import { MemoryState } from "../../src/state/memory-state.ts";

/** An instance under way, and the hands to steer it. */
export interface StartedInstance {
  readonly instance: Instance<unknown>;
  readonly clock: TestClock;
  readonly logger: RecordingLogger;
  readonly stop: AbortController;
  /** What `run` comes to: undefined, or the error it threw. */
  readonly ended: Promise<unknown>;
}

export const topic = "persistent://public/default/out";

/** An instance that waits to be run; with the real clock and no log, unless `overrides` say otherwise. */
export function makeInstance(
  source: Source<unknown>,
  transport: Transport,
  overrides: Partial<InstanceOptions>,
): Instance<unknown> {
  return new Instance(source, transport, {
    tenant: "public",
    namespace: "default",
    name: "test",
    instanceId: 0,
    numInstances: 1,
    topic,
    guarantee: "ATLEAST_ONCE",
    partitionIds: "global",
    publisher: defaultPublisherOptions,
    onRefused: { kind: "fail" },
    secrets: new Map([["apiKey", "hidden"]]),
    state: new MemoryState(),
    drainTimeoutMs: 25_000,
    clock: systemClock,
    logger: silentLogger,
    meter: silentMeter,
    troubles: new TroubleLog({
      clock: overrides.clock ?? systemClock,
      logger: overrides.logger ?? silentLogger,
    }),
    ...overrides,
  });
}

/** Runs `source` into `transport` until the test stops it. */
export function startInstance(
  source: Source<unknown>,
  transport: Transport,
  overrides: Partial<InstanceOptions> = {},
): StartedInstance {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const instance = makeInstance(source, transport, { clock, logger, ...overrides });
  const stop = new AbortController();
  const ended = instance.run({}, stop.signal).catch((error: unknown) => error);
  return { instance, clock, logger, stop, ended };
}
