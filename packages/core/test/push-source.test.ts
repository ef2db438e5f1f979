import {
  PushSource,
  type SourceContext,
  type SourceRecord,
  silentLogger,
  silentMeter,
  silentTroubles,
  systemClock,
} from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";

class Bell extends PushSource<object> {
  ring(text: string): Promise<void> {
    return this.consume({ value: new TextEncoder().encode(text), ack() {} });
  }
  breakDown(error: Error): Promise<void> {
    return this.notifyError(error);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

function contextWith(signal: AbortSignal): SourceContext {
  return {
    signal,
    clock: systemClock,
    logger: silentLogger,
    meter: silentMeter,
    troubles: silentTroubles,
    tenant: "public",
    namespace: "default",
    sourceName: "bell",
    instanceId: 0,
    numInstances: 1,
    outputTopic: "rings",
    guarantee: "ATLEAST_ONCE",
    state: undefined,
    secret: () => undefined,
    recordMetric() {},
    releasePartition: () => Promise.resolve(),
    fatal() {},
  };
}

const text = (record: SourceRecord) => new TextDecoder().decode(record.value);

describe("PushSource", () => {
  it("hands over what was consumed, in order", async () => {
    const bell = new Bell();
    await bell.open({}, contextWith(new AbortController().signal));
    await bell.ring("ding");
    await bell.ring("dong");
    expect(text(await bell.read())).toBe("ding");
    expect(text(await bell.read())).toBe("dong");
  });

  it("throws the notified error after the records that came before it", async () => {
    const bell = new Bell();
    await bell.open({}, contextWith(new AbortController().signal));
    await bell.ring("ding");
    await bell.breakDown(new Error("the rope broke"));
    expect(text(await bell.read())).toBe("ding");
    await expect(bell.read()).rejects.toThrow("the rope broke");
  });

  it("makes consume wait when the queue is full, and ends that wait when the host stops reading", async () => {
    const stop = new AbortController();
    const bell = new Bell(1);
    await bell.open({}, contextWith(stop.signal));
    await bell.ring("ding");
    const waiting = bell.ring("dong");
    const reason = new Error("stop reading");
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(bell.read()).rejects.toBe(reason);
  });

  it("says what is missing when it is used before it is open", async () => {
    await expect(new Bell().read()).rejects.toMatchObject({
      code: "PIO_ILLEGAL_STATE",
      remedy: "call super.open(config, context) first",
    });
  });
});
