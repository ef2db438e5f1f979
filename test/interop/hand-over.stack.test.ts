import { startKinesisDouble } from "@pulsar-ts-io/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { byTier } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";
import { Crossing } from "./crossing.ts";
import { prepareKcl } from "./java-worker.ts";
import { leasesOf } from "./lease-contents.ts";
import { putPacked, type UserRecord, userRecords } from "./packed-records.ts";
import { fetchMs, releases } from "./releases.ts";

interface Turn {
  readonly reader: "java" | "ours";
  /** How many user records there were up to its last one. */
  readonly end: number;
  /** How many are before the checkpoint that it leaves. */
  readonly stored: number;
}

/** All but the last end inside an aggregate. */
const turns: readonly Turn[] = [
  { reader: "java", end: 71, stored: 71 },
  ...byTier<readonly Turn[]>({
    quick: [],
    long: [
      // A Java successor might skip the rest of an aggregate: ours leaves no checkpoint inside of one within a minute.
      { reader: "ours", end: 203, stored: 202 },
      { reader: "java", end: 204, stored: 204 },
      { reader: "ours", end: 207, stored: 207 },
      { reader: "java", end: 300, stored: 300 },
    ],
  }),
  { reader: "ours", end: 410, stored: 410 },
];

const retrievals = byTier<readonly ("polling" | "fan-out")[]>({
  quick: ["fan-out"],
  long: ["polling", "fan-out"],
});

describeWithStack("a shard that Java and ours read in turn", (stack) => {
  describe.each(releases)("KCL $name", (release) => {
    beforeAll(() => prepareKcl(release.kcl), fetchMs);

    it.concurrent.each(retrievals)(
      "is continued at exactly the user record behind the checkpoint, also inside an aggregate, by %s",
      async (retrieval) => {
        // Java subscribes over HTTP/2 only.
        await using double = await startKinesisDouble();
        const kinesisEndpoint = retrieval === "fan-out" ? double.endpoint : stack.kinesisEndpoint;
        await using crossing = await Crossing.begin({ ...stack, kinesisEndpoint }, "hand-over", 1);
        await crossing.prepareLeases();
        const records = await putPacked(crossing);
        const stored = async ({ stored: count }: Turn) => {
          const { sequenceNumber = "", subSequenceNumber = 0 } = records[count - 1] ?? {};
          await crossing.settled(`a checkpoint at ${sequenceNumber}/${subSequenceNumber}`, (rows) =>
            leasesOf(rows).some(
              (row) =>
                row["checkpoint"]?.S === sequenceNumber &&
                row["checkpointSubSequenceNumber"]?.N === String(subSequenceNumber),
            ),
          );
        };
        const read = async (turn: Turn, from: number): Promise<readonly UserRecord[]> => {
          if (turn.reader === "java") {
            const last = records[turn.end - 1];
            await using java = await crossing.java({ ...release, retrieval, checkpointMs: 60_000, last });
            await java.until("Java's checkpoint", () => java.eventsOf("checkpointed").length > 0);
            await java.stop();
            await stored(turn);
            return userRecords(java.records);
          }
          const count = turn.end - from;
          await using ours = await crossing.ours({ retrieval, count });
          await ours.until("the records of ours", () => ours.records.length === count);
          // A clean stop leaves no other.
          await stored(turn);
          await ours.stop();
          await stored(turn);
          return userRecords(ours.records);
        };
        let from = 0;
        for (const turn of turns) {
          expect(await read(turn, from)).toEqual(records.slice(from, turn.end));
          from = turn.stored;
        }
      },
      byTier({ quick: 120_000, long: 300_000 }),
    );
  });
});
