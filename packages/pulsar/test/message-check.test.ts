import { PassThrough } from "node:stream";
import { codeOf } from "@pulsar-ts-io/core";
import { afterEach, describe, expect, it } from "vitest";
import {
  ConsoleTransport,
  defaultPublisherOptions,
  MemoryTransport,
  type OutgoingMessage,
  type Transport,
} from "../src/index.ts";
import { FakePulsarClient } from "./harness/fake-pulsar-client.ts";
import { createNative } from "./harness/native-rig.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never } from "./harness/wire.ts";
import { batched, numbersSent, unbatched, WireRig } from "./harness/wire-rig.ts";

/** What a connector in JavaScript may hand over, whatever the types say. */
const wrong: readonly (readonly [string, object])[] = [
  ["its property n is no text", { properties: { a: "b", n: 5 } }],
  ["its property n is no text", { properties: { n: null } }],
  ["its property n is no text", { properties: { n: ["x"] } }],
  ["its key is neither text nor a Uint8Array", { key: 7 }],
  ["its key is neither text nor a Uint8Array", { key: null }],
  ["its ordering key is no Uint8Array", { orderingKey: "text" }],
  ["its value is no Uint8Array", { value: "text" }],
];
const asMessage = (odd: object) => ({ value: Buffer.from("x"), ...odd }) as OutgoingMessage;

describe("a message that is not what its type says", () => {
  const rigs: WireRig[] = [];

  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.end();
  });

  describe.each([
    ["in a batch", batched],
    ["by itself", unbatched],
  ])("%s", (_, options) => {
    it.each(wrong)(
      "fails alone, and leaves nothing of itself among the others: %s (%j)",
      async (why, odd) => {
        const rig = new WireRig();
        rigs.push(rig);
        const publisher = await rig.open(options);
        rig.send(publisher, 0);
        rig.deliveries.send(publisher, asMessage(odd));
        rig.send(publisher, 2);
        await publisher.flush(never);
        expect(rig.deliveries.failed.map(({ code, message }) => [code, message])).toEqual([
          ["PIO_MESSAGE_REFUSED", `a message to persistent://public/default/t cannot be sent: ${why}`],
        ]);
        expect(numbersSent(rig.broker).flat()).toEqual([0, 2]);
        expect(rig.deliveries.stored).toHaveLength(2);
      },
    );
  });

  it.each<readonly [string, () => Transport | Promise<Transport>]>([
    ["console", () => new ConsoleTransport(new PassThrough().resume())],
    ["memory", () => new MemoryTransport()],
    ["native", () => createNative(new FakePulsarClient())],
  ])("is refused by the %s transport just the same", async (_, create) => {
    await using transport = await create();
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    for (const [, odd] of wrong) deliveries.send(publisher, asMessage(odd));
    await publisher.flush(never);
    expect(deliveries.failed.map(codeOf)).toEqual(wrong.map(() => "PIO_MESSAGE_REFUSED"));
  });

  it("is none when a property is undefined: that is one which is not there", async () => {
    const transport = new MemoryTransport();
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, asMessage({ properties: { a: undefined }, key: undefined }));
    await publisher.flush(never);
    expect(deliveries.stored).toHaveLength(1);
    await transport.close();
  });
});
