import { describe, expect, it } from "vitest";
import { metricsText } from "../../src/observe/metrics-text.ts";
import { ownFamilies } from "../../src/observe/own-series.ts";
import { metadataOf, parseExposition } from "../support/exposition.ts";
import { report, trouble } from "../support/report.ts";

const identity = { tenant: "public", namespace: "default", name: "eo", cluster: "standalone" };

describe("ownFamilies", () => {
  it("tells instances and partitions apart, and says nothing of what is unknown", async () => {
    const text = await metricsText(
      ownFamilies(
        identity,
        [
          report({ counts: { lagMs: 1_500 }, partitions: [{ id: "a", lagMs: 1_500, checkpointAgeMs: 20 }] }),
          report({
            instanceId: 1,
            state: "restarting",
            stalled: "no receipt for 60 s",
            restarts: 4,
            troubles: [trouble({ sinceMs: 40_000 }), trouble({ what: "reports", blocking: false })],
          }),
        ],
        100_000,
      ),
    );
    const values = (name: string) =>
      parseExposition(text)
        .filter((sample) => sample.name === `pulsar_ts_io_${name}`)
        .map(({ labels, value }) => [labels["instance_id"], labels["partition"], value]);
    expect(values("up")).toEqual([
      ["0", undefined, 1],
      ["1", undefined, 0],
    ]);
    expect(values("stalled")).toEqual([
      ["0", undefined, 0],
      ["1", undefined, 1],
    ]);
    expect(values("restarts_total")).toEqual([
      ["0", undefined, 0],
      ["1", undefined, 4],
    ]);
    expect(values("ready")).toEqual([
      ["0", undefined, 1],
      ["1", undefined, 0],
    ]);
    const troubles = parseExposition(text)
      .filter(({ name }) => name === "pulsar_ts_io_trouble_seconds")
      .map(({ labels, value }) => [labels["instance_id"], labels["what"], labels["blocking"], value]);
    expect(troubles).toEqual([
      ["1", "broker connection", "true", 60],
      ["1", "reports", "false", 100],
    ]);
    expect(values("lag_seconds")).toEqual([["0", undefined, 1.5]]);
    expect(values("partition_lag_seconds")).toEqual([["0", "a", 1.5]]);
    expect(values("partition_checkpoint_age_seconds")).toEqual([["0", "a", 0.02]]);
  });

  it("says of each metric what it is and of which type", async () => {
    const families = ownFamilies(identity, [report()], 0);
    const text = await metricsText(families);
    const names = families.map(({ name }) => name);
    expect([...metadataOf(text, "TYPE").keys()]).toEqual(names);
    expect([...metadataOf(text, "HELP").keys()]).toEqual(names);
    for (const { name, type } of families) expect(name.endsWith("_total")).toBe(type === "counter");
  });
});
