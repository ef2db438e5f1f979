import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCommand, encodeCommand, splitCommand } from "../../src/wire/commands.ts";
import { type Frame, FrameDecoder } from "../../src/wire/frame-decoder.ts";
import { anyText } from "../harness/any-text.ts";

/** The frame's command, decoded. */
function decodeFrame(bytes: Uint8Array) {
  const frames: Frame[] = [];
  new FrameDecoder().push(bytes, (frame) => frames.push(frame));
  const [frame] = frames;
  if (frame === undefined || frames.length !== 1) throw new Error(`${frames.length} frames`);
  return decodeCommand(splitCommand(frame.command));
}

const utf8 = (text: string) => Buffer.from(text);

describe("control commands", () => {
  // Written by Pulsar 4.0.7's own Commands class.
  it.each([
    ["PING", encodeCommand("ping", {}), "00000009000000050812920100"],
    ["PONG", encodeCommand("pong", {}), "000000090000000508139a0100"],
    [
      "CONNECT",
      encodeCommand("connect", {
        clientVersion: "x",
        authData: utf8("abc"),
        protocolVersion: 21,
        authMethodName: "token",
        featureFlags: {
          supportsAuthRefresh: true,
          supportsBrokerEntryMetadata: true,
          supportsPartialProducer: true,
          supportsPartitionsWithoutAutoCreation: true,
          supportsReplDedupByPosition: true,
        },
      }),
      "00000025000000210802121d0a01781a0361626320152a05746f6b656e520a08011001180128013001",
    ],
    [
      "PRODUCER",
      encodeCommand("producer", {
        topic: "persistent://public/default/t",
        producerId: 1,
        requestId: 2,
        producerName: "n",
        encrypted: false,
        epoch: 0,
        userProvidedProducerName: true,
        accessMode: 0,
        transactional: false,
      }),
      "000000380000003408052a300a1d70657273697374656e743a2f2f7075626c69632f64656661756c742f741001180222016e28004000480150006000",
    ],
    [
      "CLOSE_PRODUCER from the broker",
      encodeCommand("closeProducer", { producerId: 1, requestId: -1 }),
      "0000001500000011080f7a0d080110ffffffffffffffffff01",
    ],
  ])("writes %s byte for byte as Java does", (_, frame, hex) => {
    expect(frame.toString("hex")).toBe(hex);
  });

  it("reads the broker's request id of all ones as -1", () => {
    const command = decodeFrame(Buffer.from("0000001500000011080f7a0d080110ffffffffffffffffff01", "hex"));
    expect(command).toEqual({ name: "closeProducer", fields: { producerId: 1, requestId: -1 } });
  });

  it("come back as they were written", () => {
    const text = anyText(10);
    const fields = fc.record(
      {
        topic: text,
        producerId: fc.nat(),
        requestId: fc.maxSafeNat(),
        producerName: text,
        metadata: fc.array(fc.record({ key: text, value: text }), { minLength: 1, maxLength: 3 }),
        epoch: fc.nat(),
        userProvidedProducerName: fc.boolean(),
      },
      { requiredKeys: ["topic", "producerId", "requestId"] },
    );
    fc.assert(
      fc.property(fields, (producer) => {
        expect(decodeFrame(encodeCommand("producer", producer))).toEqual({
          name: "producer",
          fields: producer,
        });
      }),
      { numRuns: 50 },
    );
  });

  it("keeps positions beyond 2^53 exact", () => {
    const messageId = { ledgerId: 2n ** 62n + 1n, entryId: -1n };
    const command = decodeFrame(encodeCommand("message", { consumerId: 3, messageId }));
    expect(command?.fields).toEqual({ consumerId: 3, messageId });
  });

  it("skips fields that are not known", () => {
    // SUCCESS with request id 7 and, in a field of each wire type, what a newer broker might say.
    const content = "0807" + "f80601" + "f9060102030405060708" + "fa060161" + "fd0601020304";
    const base = Buffer.from(`080d6a${(content.length / 2).toString(16).padStart(2, "0")}${content}`, "hex");
    expect(decodeCommand(splitCommand(base))).toEqual({ name: "success", fields: { requestId: 7 } });
  });

  it("does not know a command of a later protocol", () => {
    expect(decodeCommand(splitCommand(Buffer.from("084f", "hex")))).toBeUndefined();
  });

  it("refuses a command without a required field", () => {
    expect(() => decodeCommand(splitCommand(Buffer.from("080d6a00", "hex")))).toThrow("requestId is missing");
  });

  it("ends on any bytes, with a command or a RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeCommand(splitCommand(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
