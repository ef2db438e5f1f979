import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameDecoder, frameAllowanceBytes } from "../../src/wire/frame-decoder.ts";

function frame(command: Uint8Array, rest: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(4 + command.length + rest.length, 0);
  head.writeUInt32BE(command.length, 4);
  return Buffer.concat([head, command, rest]);
}

const piece = fc.uint8Array({ maxLength: 40 });

describe("FrameDecoder", () => {
  it("finds the same frames, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ command: piece, rest: piece }), { maxLength: 8 }),
        fc.array(fc.nat(30), { minLength: 1 }),
        (frames, cuts) => {
          const stream = Buffer.concat(frames.map(({ command, rest }) => frame(command, rest)));
          const decoder = new FrameDecoder();
          const found: { command: Uint8Array; rest: Uint8Array }[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const end = Math.min(stream.length, at + 1 + (cuts[turn % cuts.length] ?? 0));
            decoder.push(Buffer.from(stream.subarray(at, end)), ({ command, rest }) =>
              found.push({ command: Uint8Array.from(command), rest: Uint8Array.from(rest) }),
            );
            at = end;
          }
          expect(found).toEqual(frames);
        },
      ),
    );
  });

  it("refuses a frame beyond the broker's message size and its allowance, before it has arrived", () => {
    const decoder = new FrameDecoder();
    decoder.limitMessages(1_000);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(1_000 + frameAllowanceBytes, 0);
    decoder.push(head, () => expect.unreachable());
    const tooLong = new FrameDecoder();
    tooLong.limitMessages(1_000);
    head.writeUInt32BE(1_001 + frameAllowanceBytes, 0);
    expect(() => tooLong.push(head, () => undefined)).toThrow(RangeError);
  });

  it.each([
    ["a frame without room for a command's size", "00000003000000"],
    ["a command longer than its frame", "0000000500000002ff"],
  ])("refuses %s", (_, hex) => {
    expect(() => new FrameDecoder().push(Buffer.from(hex, "hex"), () => undefined)).toThrow(RangeError);
  });
});
