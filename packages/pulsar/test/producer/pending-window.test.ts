import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { PendingFrame, PendingWindow } from "../../src/producer/pending-window.ts";
import { liveBytes } from "../harness/live-memory.ts";

const mebibyte = 1_048_576;

function frame(
  sequenceId: number,
  highestSequenceId: number,
  lender?: { readonly heldBytes: number; release(): void },
): PendingFrame {
  const content = {
    sequenceId,
    highestSequenceId,
    deliveries: [],
    valueBytes: 0,
    heldBytes: 0,
    chosenIds: false,
    lender,
  };
  return new PendingFrame({ pieces: [], messageBytes: 0 }, content, 0);
}

describe("PendingWindow", () => {
  it("keeps no frame that was confirmed, although it is never empty", async () => {
    const window = new PendingWindow();
    const content = { deliveries: [], valueBytes: 0, heldBytes: 0, chosenIds: false };
    for (let id = 0; id < 100; id += 1) {
      const pieces = [Buffer.alloc(mebibyte)];
      const ids = { sequenceId: id, highestSequenceId: id };
      window.push(new PendingFrame({ pieces, messageBytes: mebibyte }, { ...content, ...ids }, 0));
    }
    const before = await liveBytes();
    for (let id = 0; id < 99; id += 1) expect(window.match(id, id).kind).toBe("confirmed");
    expect(before - (await liveBytes())).toBeGreaterThan(90 * mebibyte);
    expect(window.size).toBe(1);
  });

  it("confirms frames one by one in their order, and only so", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3_000 });
    fc.assert(
      fc.property(sizes, (counts) => {
        const window = new PendingWindow();
        const frames: PendingFrame[] = [];
        let id = 0;
        for (const count of counts) {
          frames.push(frame(id, id + count - 1));
          id += count;
        }
        for (const one of frames) window.push(one);
        for (const [index, one] of frames.entries()) {
          expect(window.firstId).toBe(one.sequenceId);
          const next = frames[index + 1];
          if (next !== undefined) {
            expect(window.match(next.sequenceId, next.highestSequenceId).kind).toBe("gap");
          }
          expect(window.match(one.sequenceId, one.highestSequenceId)).toEqual({
            kind: "confirmed",
            frame: one,
          });
          expect(window.match(one.sequenceId, one.highestSequenceId).kind).toBe("stale");
        }
        expect(window.size).toBe(0);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ["-1, which a single message's receipt may carry", -1, "confirmed"],
    ["0", 0, "confirmed"],
    ["the batch's own", 8, "confirmed"],
    ["another batch's", 9, "gap"],
  ])("judges a receipt with the highest id %s", (_, highest, kind) => {
    const window = new PendingWindow();
    window.push(frame(7, 8));
    expect(window.match(7, highest).kind).toBe(kind);
  });

  it("finds a frame by its highest id, and goes on in order without it", () => {
    const window = new PendingWindow();
    for (const one of [frame(0, 1), frame(2, 2), frame(3, 5)]) window.push(one);
    expect(window.match(0, 1).kind).toBe("confirmed");
    expect(window.find(3)).toBeUndefined();
    const found = window.find(5);
    expect(found?.sequenceId).toBe(3);
    const middle = window.find(2);
    if (middle !== undefined) window.remove(middle);
    expect(window.match(3, 5)).toEqual({ kind: "confirmed", frame: found });
  });
});

describe("a frame that the broker answered", () => {
  it.each([
    { writes: 1, releases: 1 },
    { writes: 2, releases: 0 },
  ])(
    "has its buffers used again unless a second copy may still be on its way: $writes writes",
    (expected) => {
      const release = vi.fn();
      const one = frame(0, 9, { heldBytes: 0, release });
      one.writes = expected.writes;
      one.release();
      expect(release).toHaveBeenCalledTimes(expected.releases);
    },
  );
});
