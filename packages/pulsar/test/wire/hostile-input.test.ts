import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { byTier, runSeed } from "../../../../test/harness/tier.ts";
import { decodeCommand, encodeCommand, sendReceiptType, splitCommand } from "../../src/wire/commands.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";
import { readReceipt } from "../../src/wire/receipt.ts";

const inputs = byTier({ quick: 30_000, long: 10_000_000 });
const maxMs = byTier({ quick: 60_000, long: 3_600_000 });

/** Frames as brokers send them, to be damaged. */
const recorded: readonly Buffer[] = [
  "0000002f0000002b08073a27080110071a1608ffffffffffffffffff0110ffffffffffffffffff0120ffffffffffffffffff01",
  "0000001500000011080f7a0d080110ffffffffffffffffff01",
  "00000009000000050812920100",
].map((hex) => Buffer.from(hex, "hex"));
const encoded: readonly Buffer[] = [
  encodeCommand("connected", {
    serverVersion: "4.0.7",
    protocolVersion: 21,
    maxMessageSize: 5_242_880,
    featureFlags: { supportsTopicWatchers: true },
  }),
  encodeCommand("producerSuccess", {
    requestId: 1,
    producerName: "standalone-0-1",
    lastSequenceId: -1,
    schemaVersion: Uint8Array.of(0, 1),
    topicEpoch: 3,
    producerReady: true,
  }),
  encodeCommand("lookupResponse", { requestId: 2, response: 1, brokerServiceUrl: "pulsar://b:6650" }),
  encodeCommand("sendError", { producerId: 1, sequenceId: 7, error: 2, message: "no" }),
];
const frames = [...recorded, ...encoded];

/** What a connection does with every byte that arrives. */
function receive(chunk: Uint8Array): number {
  let understood = 0;
  new FrameDecoder().push(chunk, (frame) => {
    const raw = splitCommand(frame.command);
    if (raw.type === sendReceiptType) readReceipt(raw.content);
    else decodeCommand(raw);
    understood += 1;
  });
  return understood;
}

function damaged(random: SeededRandom): Uint8Array {
  const bytes = Buffer.from(frames[random.integer(0, frames.length - 1)] ?? []);
  for (let times = random.integer(0, 4); times > 0; times -= 1) {
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  }
  return random.next() < 0.1 ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes;
}

describe("what arrives from a connection", () => {
  it(
    "is understood, or refused with a RangeError, however it is damaged, and leaves nothing behind",
    () => {
      const random = new SeededRandom(runSeed);
      let understood = 0;
      let refused = 0;
      const before = process.memoryUsage().rss;
      for (let count = 0; count < inputs; count += 1) {
        const input = damaged(random);
        try {
          understood += receive(input);
        } catch (error) {
          if (!(error instanceof RangeError))
            throw new Error(`${Buffer.from(input).toString("hex")}`, { cause: error });
          refused += 1;
        }
      }
      // Both kinds are there: neither honest frames only, nor noise.
      expect(understood).toBeGreaterThan(inputs / 5);
      expect(refused).toBeGreaterThan(inputs / 10);
      expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1_048_576);
    },
    maxMs,
  );
});
