import { describe, expect, it } from "vitest";
import { MemoryState } from "../../src/state/memory-state.ts";
import { ListSource } from "../support/list-source.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

describe("What a source and its instance know of each other", () => {
  it("gives the source its context as Java's does", async () => {
    const source = new ListSource([]);
    const { clock, stop, ended } = startInstance(source, new StepTransport());
    await clock.settle();
    const { context } = source;
    expect(context).toMatchObject({
      tenant: "public",
      namespace: "default",
      sourceName: "test",
      instanceId: 0,
      numInstances: 1,
      outputTopic: topic,
    });
    expect(context?.secret("apiKey")).toBe("hidden");
    expect(context?.secret("other")).toBeUndefined();
    expect(context?.state).toBeInstanceOf(MemoryState);
    stop.abort();
    await ended;
  });

  it("states the largest lag of the source's partitions, once it is open", async () => {
    class Lagging extends ListSource {
      status() {
        return [{ id: "a", lagMs: 5 }, { id: "b", lagMs: 70 }, { id: "c" }];
      }
    }
    const { instance, stop, clock, ended } = startInstance(new Lagging([]), new StepTransport());
    expect(instance.snapshot().lagMs).toBeUndefined();
    await clock.settle();
    expect(instance.snapshot().lagMs).toBe(70);
    stop.abort();
    await ended;
  });

  it("goes on when the source's status throws", async () => {
    class Shy extends ListSource {
      status(): never {
        throw new Error("not now");
      }
    }
    const { instance, stop, clock, ended } = startInstance(new Shy([]), new StepTransport());
    await clock.settle();
    expect(instance.snapshot().lagMs).toBeUndefined();
    stop.abort();
    expect(await ended).toBeUndefined();
  });
});
