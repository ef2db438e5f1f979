import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("a publisher whose name another one has", () => {
  let rig: WireRig;
  let busy: boolean;

  beforeEach(() => {
    rig = new WireRig();
    busy = true;
    rig.broker.answer("producer", ({ requestId }, connection) => {
      if (busy) connection.tell("error", { requestId, error: 16, message: "already connected" });
      else connection.tell("producerSuccess", { requestId, producerName: "mine" });
    });
  });

  afterEach(() => rig.end());

  it("takes it within a second of the other one's end", async () => {
    const opening = rig.open({ ...defaultPublisherOptions, producerName: "mine" });
    const start = rig.clock.monotonic();
    await until(() => rig.clock.monotonic() - start > 20_000, rig.clock);
    busy = false;
    const free = rig.clock.monotonic();
    await until(() => rig.wire.logger.linesOf("producer ready").length === 1, rig.clock);
    await opening;
    expect(rig.clock.monotonic() - free).toBeLessThanOrEqual(1_100);
  });
});
