import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Compression,
  defaultPublisherOptions,
  type OutgoingMessage,
  type Publisher,
} from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { batched, unbatched, WireRig } from "../harness/wire-rig.ts";

const memoryLimitBytes = 100_000;
const large = "x".repeat(10_000);

describe("the memory limit of a transport counts", () => {
  let rig: WireRig;

  beforeEach(() => {
    rig = new WireRig({ memoryLimitBytes });
  });

  afterEach(() => rig.end());

  /** Sends until nothing more is taken. @returns how many were. */
  function fill(publisher: Publisher, message: OutgoingMessage): number {
    let count = 0;
    for (; !publisher.full && count < 1_000; count += 1) rig.deliveries.send(publisher, message);
    return count;
  }

  it.each<[string, OutgoingMessage]>([
    ["properties", { value: Buffer.from("small"), properties: { large } }],
    ["names of properties", { value: Buffer.from("small"), properties: { [large]: "" } }],
    ["keys", { value: Buffer.from("small"), key: large }],
    ["ordering keys", { value: Buffer.from("small"), orderingKey: Buffer.from(large) }],
  ])("%s of messages and their copy in the frame", async (_, message) => {
    for (const options of [unbatched, batched]) {
      const publisher = await rig.open(options);
      rig.holdReceipts();
      // Each text is held twice: in the message, and encoded in its frame or batch.
      expect(fill(publisher, message)).toBe(memoryLimitBytes / (2 * large.length));
      await publisher.close();
    }
  });

  it("a compressed frame beside the value that it was made of", async () => {
    const publisher = await rig.open({ ...defaultPublisherOptions, batching: undefined });
    rig.holdReceipts();
    const value = Buffer.from(randomBytes(7_500).toString("base64"));
    const half = Buffer.concat([value, value]).subarray(0, 15_000);
    expect(fill(publisher, { value: half })).toBeLessThan(memoryLimitBytes / 20_000 + 1);
  });

  it("the whole of a value once when the frame refers to it", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    expect(fill(publisher, { value: randomBytes(10_000) })).toBe(memoryLimitBytes / 10_000);
  });

  it("nothing any more once all is settled, whatever became of it", async () => {
    const options = { ...defaultPublisherOptions, maxPendingBytes: memoryLimitBytes };
    const publisher = await rig.open(options);
    const failing = await rig.open(
      { ...options, sendTimeoutMs: 30_000 },
      "persistent://public/default/failing",
    );
    const messages: OutgoingMessage[] = [
      { value: randomBytes(20_000) },
      { value: Buffer.alloc(20_000), key: large },
      { value: Buffer.from("small"), properties: { large } },
      { value: randomBytes(6_000_000) },
    ];
    for (const message of messages) {
      rig.deliveries.send(publisher, message);
      await publisher.flush(never);
    }
    rig.holdReceipts();
    for (const message of messages.slice(0, 3)) rig.deliveries.send(failing, message);
    await until(() => rig.deliveries.settled === 7, rig.clock);
    // Nearly all that fits into an empty publisher, the copy of the key included, and then the rest.
    rig.deliveries.send(publisher, { value: Buffer.alloc(0), key: "x".repeat(memoryLimitBytes / 2 - 1_000) });
    expect(publisher.full).toBe(false);
    rig.deliveries.send(publisher, { value: randomBytes(2_000) });
    expect(publisher.full).toBe(true);
    await failing.close();
    rig.confirm();
  });
});

describe("a record that does not compress, near the broker's limit", () => {
  let rig: WireRig;

  beforeEach(() => {
    rig = new WireRig();
  });

  afterEach(() => rig.end());

  it.each<Compression>(["LZ4", "ZLIB", "ZSTD", "SNAPPY", "NONE"])(
    "is stored with %s as it is",
    async (compression) => {
      const publisher = await rig.open({ ...defaultPublisherOptions, compression });
      const values = [5_225_000, 5_242_700].map((size) => randomBytes(size));
      for (const value of values) rig.deliveries.send(publisher, { value });
      await publisher.flush(never);
      expect(rig.deliveries.failed).toEqual([]);
      const arrived = rig.broker.sends.flatMap(({ messages }) => messages.map(({ value }) => value));
      expect(arrived.map((value, index) => Buffer.compare(value, values[index] ?? Buffer.alloc(0)))).toEqual([
        0, 0,
      ]);
    },
    60_000,
  );
});
