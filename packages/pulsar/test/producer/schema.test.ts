import { describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("a publisher's schema", () => {
  it("goes to the broker with the producer, and its version back into every frame", async () => {
    const rig = new WireRig();
    rig.broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("producerSuccess", {
        requestId,
        producerName: "p",
        schemaVersion: Uint8Array.of(0, 0, 7),
      }),
    );
    const definition = Buffer.from('{"type":"string"}');
    const schema = { type: "JSON", definition, properties: { a: "b" } } as const;
    const publisher = await rig.open({ ...defaultPublisherOptions, compression: "NONE", schema });
    rig.deliveries.send(publisher, { value: Buffer.from('"x"') });
    await publisher.flush(new AbortController().signal);
    expect(rig.broker.of("producer")[0]?.schema).toMatchObject({
      name: "JSON",
      type: 2,
      properties: [{ key: "a", value: "b" }],
    });
    // Field 16 of the metadata.
    expect(rig.broker.sends[0]?.bytes).toContain("820103000007");
    await rig.end();
  });

  it("is left out for plain bytes", async () => {
    const rig = new WireRig();
    await rig.open(defaultPublisherOptions);
    expect(rig.broker.of("producer")[0]).not.toHaveProperty("schema");
    await rig.end();
  });
});
