import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../../src/publisher.ts";
import { decodeEntry, splitEntry } from "../../src/wire/entry.ts";
import { type Frame, FrameDecoder } from "../../src/wire/frame-decoder.ts";
import {
  BatchPayload,
  batchedSize,
  checksumHolds,
  encodeBatch,
  encodeSingle,
  type SendHeader,
} from "../../src/wire/send-frame.ts";
import { anyText } from "../harness/any-text.ts";

const header: SendHeader = {
  producerId: 1,
  producerName: "p",
  sequenceId: 0,
  publishTime: 1_700_000_000_000,
  schemaVersion: new Uint8Array(0),
  compressed: undefined,
};

function split(pieces: readonly Uint8Array[]): Frame {
  const frames: Frame[] = [];
  new FrameDecoder().push(Buffer.concat(pieces), (frame) => frames.push(frame));
  const [frame] = frames;
  if (frame === undefined || frames.length !== 1) throw new Error(`${frames.length} frames`);
  return frame;
}

const message = fc.record({
  value: fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    // Around the size above which values are referred to instead of gathered.
    fc.integer({ min: 4_094, max: 4_098 }).map((size) => Buffer.alloc(size, size)),
  ),
  key: fc.option(fc.oneof(anyText(60), fc.uint8Array({ maxLength: 60 })), { nil: undefined }),
  orderingKey: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined }),
  properties: fc.option(fc.dictionary(anyText(5), anyText(60), { maxKeys: 3 }), { nil: undefined }),
  eventTime: fc.option(fc.maxSafeNat(), { nil: undefined }),
});

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");

/** What the metadata of a batch says for its first message. */
function keysOf({ key, orderingKey }: OutgoingMessage) {
  const text = typeof key === "object" ? Buffer.from(key).toString("base64") : key;
  const flag = key === undefined ? {} : { keyIsBytes: typeof key === "object" };
  return { ...(text === undefined ? {} : { partitionKey: text }), ...flag, orderingKey: hex(orderingKey) };
}

/** What a reader gets: absent and empty are the same on the wire. */
function asRead({ value, key, orderingKey, properties, eventTime }: OutgoingMessage) {
  return {
    value: Buffer.from(value).toString("latin1"),
    key: typeof key === "object" ? Buffer.from(key).toString("base64") : key,
    keyIsBytes: typeof key === "object",
    orderingKey: hex(orderingKey),
    properties: { ...properties },
    eventTime: eventTime === 0 ? undefined : eventTime,
  };
}

function read(content: Uint8Array) {
  return decodeEntry(content).map(({ value, key, keyIsBytes, orderingKey, properties, eventTime }) => ({
    value: Buffer.from(value).toString("latin1"),
    key,
    keyIsBytes,
    orderingKey: hex(orderingKey),
    properties: { ...properties },
    eventTime,
  }));
}

describe("encodeSingle", () => {
  it("writes byte for byte what Java writes", () => {
    const value = Buffer.from("hello");
    const { pieces } = encodeSingle(header, { value, key: "k", properties: { a: "b" } }, value);
    expect(Buffer.concat(pieces).toString("hex")).toBe(
      "000000340000000808063204080110000e018bb2a7ef000000190a017010001880d095ffbc3122060a016112016232016b480568656c6c6f",
    );
  });

  it("hands the value on as it is, without a copy", () => {
    const value = new Uint8Array(10);
    expect(encodeSingle(header, { value }, value).pieces[1]).toBe(value);
  });

  it("is read back as it was, with its size as the broker counts it", () => {
    fc.assert(
      fc.property(message, fc.maxSafeNat(), (sent, sequenceId) => {
        const { pieces, messageBytes } = encodeSingle({ ...header, sequenceId }, sent, sent.value);
        const { rest } = split(pieces);
        expect(read(rest)).toEqual([asRead(sent)]);
        expect(decodeEntry(rest)[0]?.sequenceId).toBe(sequenceId);
        expect(messageBytes).toBe(rest.length - 10);
        expect(checksumHolds(pieces)).toBe(true);
      }),
    );
  });

  it("carries the schema version and what the payload was before compression", () => {
    const compressed = { type: 2, uncompressedBytes: 99 };
    const schemaVersion = Buffer.from("0000000000000001", "hex");
    const value = Buffer.from("x");
    const { pieces } = encodeSingle({ ...header, compressed, schemaVersion }, { value }, value);
    expect(splitEntry(split(pieces).rest).metadata).toMatchObject({
      compression: 2,
      uncompressedSize: 99,
      schemaVersion,
    });
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 0.5])(
    "leaves out %d, which is no event time",
    (eventTime) => {
      const value = Buffer.from("x");
      const { pieces } = encodeSingle(header, { value, eventTime }, value);
      expect(decodeEntry(split(pieces).rest)[0]?.eventTime).toBeUndefined();
    },
  );
});

describe("encodeBatch", () => {
  it("writes byte for byte what Java writes", () => {
    const payload = new BatchPayload(1);
    payload.add({ value: Buffer.from("v0"), key: "k" }, 7);
    payload.add({ value: Buffer.from("v1"), key: "k" }, 8);
    const batch = {
      ...header,
      sequenceId: 7,
      highestSequenceId: 8,
      messageCount: 2,
      first: { value: Buffer.from("v0"), key: "k" },
    };
    expect(Buffer.concat(encodeBatch(batch, payload.pieces()).pieces).toString("hex")).toBe(
      "0000004f0000000c0806320808011007180230080e01b8fba04b000000170a017010071880d095ffbc3132016b5802880100c001080000000912016b18023000400776300000000912016b1802300040087631",
    );
  });

  it("is read back message by message, and none took more room than announced", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 2, maxLength: 6 }), fc.nat(), (sent, firstId) => {
        const payload = new BatchPayload(16);
        let announced = 0;
        sent.forEach((one, index) => {
          payload.add(one, firstId + index);
          announced += batchedSize(one);
          expect(payload.bytes).toBeLessThanOrEqual(announced);
        });
        const highestSequenceId = firstId + sent.length - 1;
        const [first] = sent;
        if (first === undefined) throw new Error("unreachable: there are at least two");
        const { pieces } = encodeBatch(
          {
            ...header,
            sequenceId: firstId,
            highestSequenceId,
            messageCount: sent.length,
            first,
          },
          payload.pieces(),
        );
        const { rest } = split(pieces);
        expect(read(rest)).toEqual(sent.map(asRead));
        expect(decodeEntry(rest).map((one) => one.sequenceId)).toEqual(
          sent.map((_, index) => firstId + index),
        );
        const { metadata } = splitEntry(rest);
        expect(metadata).toMatchObject({ sequenceId: firstId, highestSequenceId });
        expect({ ...metadata, orderingKey: hex(metadata.orderingKey) }).toMatchObject(keysOf(first));
      }),
      { numRuns: 50 },
    );
  });
});

describe("checksumHolds", () => {
  it("notices that a value was changed after it was framed", () => {
    const value = Buffer.from("hello");
    const { pieces } = encodeSingle(header, { value }, value);
    value[0] = 0;
    expect(checksumHolds(pieces)).toBe(false);
  });
});
