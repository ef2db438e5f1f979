import { codeOf } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("a publisher whose topic demands encryption from now on", () => {
  it("fails for good, naming the native transport, instead of trying again for ever", async () => {
    const rig = new WireRig();
    const publisher = await rig.open(defaultPublisherOptions);
    rig.broker.onSend = ({ producerId, sequenceId }, connection) =>
      connection.tell("sendError", {
        producerId,
        sequenceId,
        error: 1,
        message: "Messages must be encrypted",
      });
    rig.deliveries.send(publisher, { value: Buffer.from("x") });
    await publisher.flush(new AbortController().signal);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_BROKER_REFUSED"]);
    expect(rig.deliveries.failed[0]?.remedy).toContain("native");
    expect(rig.broker.of("producer")).toHaveLength(1);
    await rig.end();
  });
});
