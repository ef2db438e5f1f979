import { describe, expect, it } from "vitest";
import { idOf, Rig, textsOf, type Worker } from "./support/rig.ts";

const expired = "the record at the stored position has expired";
const series = "pulsar_ts_io_kinesis_positions_expired_total";

describe.each(["polling", "fan-out"] as const)("a position whose record has expired, by %s", (kind) => {
  const retrieval =
    kind === "polling" ? { kind, idleMs: 1_000 } : { kind, consumerName: "orders-app", fallback: undefined };

  async function readOnce(rig: Rig, count: number): Promise<Worker> {
    const worker = await rig.start({ retrieval });
    await rig.until(() => worker.records.length === count);
    await rig.close(worker);
    return worker;
  }

  const lines = (rig: Rig) => rig.logger.lines.filter(({ message }) => message.startsWith(expired));

  it("is told of once, and reading goes on with the oldest record there is", async () => {
    const rig = new Rig();
    rig.put(3);
    await readOnce(rig, 3);
    rig.put(4);
    rig.stream.trim(idOf(0), 5);
    const later = await readOnce(rig, 2);
    expect(textsOf(later.records)).toEqual(["5", "6"]);
    expect(lines(rig)).toMatchObject([
      {
        level: "warn",
        fields: {
          shardId: idOf(0),
          position: `${rig.placed[2]?.sequenceNumber}/0`,
          oldestArrival: expect.stringMatching(/^\d{4}-/),
        },
      },
    ]);
    expect(rig.meter.value(series, { stream: "orders" })).toBe(1);
  });

  it("is none while its record is there, although all before it have expired", async () => {
    const rig = new Rig();
    rig.put(3);
    await readOnce(rig, 3);
    rig.put(2);
    rig.stream.trim(idOf(0), 2);
    await readOnce(rig, 2);
    await readOnce(rig, 0);
    expect(lines(rig)).toEqual([]);
    expect(rig.meter.value(series, { stream: "orders" })).toBe(0);
  });
});
