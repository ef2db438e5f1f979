import { codeOf } from "@pulsar-ts-io/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { never } from "../harness/wire.ts";
import { WireRig } from "../harness/wire-rig.ts";

const byKey = {
  ...defaultPublisherOptions,
  compression: "NONE" as const,
  batching: { maxDelayMs: 10, maxMessages: 1_000, maxBytes: 131_072, byKey: true },
};
const value = Buffer.from("x");

describe("a publisher that makes batches by key", () => {
  it("puts what has one key into one batch, and sends them in the order of their last ids", async () => {
    const rig = new WireRig();
    const publisher = await rig.open(byKey);
    for (const key of ["a", "b", undefined, "a", "c", "b", undefined]) {
      rig.deliveries.send(publisher, { value, key });
    }
    await publisher.flush(never);
    expect(
      rig.broker.sends.map((send) => [send.sequenceId, send.messages.map((one) => one.sequenceId).join()]),
    ).toEqual([
      [3, "0,3"],
      [4, "4"],
      [5, "1,5"],
      [6, "2,6"],
    ]);
    expect(rig.broker.sends.map((send) => send.highestSequenceId)).toEqual([3, undefined, 5, 6]);
    expect(rig.broker.sends.map((send) => send.messages[0]?.key)).toEqual(["a", "c", "b", undefined]);
    expect(rig.deliveries.stored.map((id) => [id.entryId, id.batchIndex])).toEqual([
      [0n, 0],
      [2n, 0],
      [3n, 0],
      [0n, 1],
      [1n, -1],
      [2n, 1],
      [3n, 1],
    ]);
    await rig.end();
  });

  it("goes by the ordering key where there is one", async () => {
    const rig = new WireRig();
    const publisher = await rig.open(byKey);
    for (const [key, order] of [
      ["a", 1],
      ["b", 1],
      ["a", 2],
    ] as const) {
      rig.deliveries.send(publisher, { value, key, orderingKey: Uint8Array.of(order) });
    }
    await publisher.flush(never);
    expect(rig.broker.sends.map((send) => send.messages.map((one) => one.key))).toEqual([["a", "b"], ["a"]]);
    await rig.end();
  });

  it("keeps each key in order, and ids rising from frame to frame, whatever comes and however full batches get", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "b", "c", undefined), { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        async (keys, maxMessages) => {
          const rig = new WireRig();
          const publisher = await rig.open({ ...byKey, batching: { ...byKey.batching, maxMessages } });
          keys.forEach((key, index) => {
            rig.deliveries.send(publisher, { value: Buffer.from(String(index)), key });
          });
          await publisher.flush(never);
          const ids = rig.broker.sends.map((send) => send.sequenceId);
          expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other));
          const arrived = rig.broker.sends.flatMap((send) => send.messages);
          for (const key of ["a", "b", "c", undefined]) {
            const sent = keys.flatMap((one, index) => (one === key ? [String(index)] : []));
            const there = arrived.filter((one) => one.key === key);
            expect(there.map((one) => Buffer.from(one.value).toString())).toEqual(sent);
          }
          expect(rig.deliveries.stored).toHaveLength(keys.length);
          await rig.end();
        },
      ),
      { numRuns: 40 },
    );
  });

  it("refuses sequence ids of the caller's: the broker would take some for duplicates", async () => {
    const rig = new WireRig();
    const publisher = await rig.open(byKey);
    rig.deliveries.send(publisher, { value, key: "a" }, 7n);
    rig.deliveries.send(publisher, { value, key: "a" });
    await publisher.flush(never);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_INVALID_SEQUENCE_ID"]);
    expect(rig.deliveries.stored).toHaveLength(1);
    await rig.end();
  });

  it("fails what waits in every batch when it is closed", async () => {
    const rig = new WireRig();
    const publisher = await rig.open(byKey);
    for (const key of ["a", "b", "a"]) rig.deliveries.send(publisher, { value, key });
    await publisher.close();
    expect(rig.deliveries.failed.map(codeOf)).toEqual(Array(3).fill("PIO_PUBLISHER_CLOSED"));
    await rig.end();
  });
});
