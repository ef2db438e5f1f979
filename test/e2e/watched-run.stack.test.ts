import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { metadataOf } from "../../runtime/test/support/exposition.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { ObservedRun, observedPaths } from "../harness/observed-run.ts";
import { describeWithStack } from "../stack.ts";

const documented = readFileSync(new URL("../../connectors/kinesis/README.md", import.meta.url), "utf8");
// Letters alone: DynamoDB Local takes no other access key.
const canary = "canaryInACoalMine";

describeWithStack("a run that is watched", (stack) => {
  it("tells how many records it moved, who reads which shard, and no secret", async () => {
    await using journey = await Journey.begin(stack, "watched", 4);
    await journey.putTexts(400);
    const config = {
      awsCredentialPluginName: "",
      awsCredentialPluginParam: `{"accessKey":"AK${canary}","secretKey":"${"$"}{env:CANARY}"}`,
    };
    const args = ["--http-port", "0", "--secrets", JSON.stringify({ unused: canary })];
    await using cli = journey.run({ config, args, env: { CANARY: canary } });
    const run = await ObservedRun.of(cli);
    await journey.arrived();

    await eventually(
      "every receipt to be counted",
      async () => (await run.total("pulsar_source_written_total")) === 400,
    );
    expect(await run.total("pulsar_source_received_total")).toBe(400);
    expect(await run.total("pulsar_ts_io_publisher_confirmed_messages_total")).toBe(400);
    expect(await run.total("pulsar_ts_io_receipt_latency_seconds_count")).toBe(400);
    expect(await run.total("pulsar_ts_io_kinesis_records_read_total")).toBe(400);
    expect(await run.samples("pulsar_ts_io_partition_lag_seconds")).toHaveLength(4);
    expect(await run.get("/ready")).toMatchObject({ code: 200 });
    expect(await run.get("/health")).toMatchObject({ code: 200 });
    const { instances } = await run.status();
    const partitions = instances.flatMap(({ details }) => details.partitions);
    expect(partitions).toHaveLength(4);
    expect(new Set(partitions.map(({ owner }) => owner)).size).toBe(1);
    expect(partitions.reduce((sum, { received }) => sum + Number(received), 0)).toBe(400);

    for (const path of observedPaths)
      expect([path, (await run.get(path)).body.includes(canary)]).toEqual([path, false]);
    const { body } = await run.get("/metrics");
    const own = [...metadataOf(body, "TYPE").keys()].filter((name) =>
      name.startsWith("pulsar_ts_io_kinesis_"),
    );
    expect(own.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    expect(cli.output).not.toContain(canary);
  }, 120_000);

  it.runIf(process.platform === "linux")(
    "tells its instances apart, and counts on when one of them was killed",
    async () => {
      await using journey = await Journey.begin(stack, "watched-fleet", 2);
      await journey.putTexts(100);
      await using cli = journey.run({ args: ["--http-port", "0", "--parallelism", "2"] });
      const run = await ObservedRun.of(cli);
      await journey.arrived();
      const written = () => run.total("pulsar_source_written_total");
      await eventually("every receipt to be counted", async () => (await written()) === 100);
      const starts = await run.samples("process_start_time_seconds");
      expect(starts.map(({ labels }) => labels["instance_id"])).toEqual(["0", "1"]);

      const [child = ""] = (await readFile(`/proc/${cli.pid}/task/${cli.pid}/children`, "utf8")).split(" ");
      process.kill(Number(child), "SIGKILL");
      await eventually("its next start", async () => (await run.total("pulsar_ts_io_restarts_total")) === 1);
      await journey.putTexts(100);
      await journey.arrived();
      await eventually("both to run", async () => (await run.status()).numRunning === 2);
      // What the killed one had published and not counted may be missing; what was repeated is counted twice.
      expect(await written()).toBeGreaterThanOrEqual(200);
      const held = async () =>
        (await run.status()).instances.map(({ details }) => details.partitions.map(({ id }) => id));
      // The other one had both for a while.
      await eventually("each shard to be told by its reader alone", async () => {
        const [one = [], other = []] = await held();
        return one.length === 1 && other.length === 1 && one[0] !== other[0];
      });
      // Its new reader knows how far behind it is once it has read.
      await eventually("the lag of each shard to be told, and by its reader alone", async () => {
        const lags = await run.samples("pulsar_ts_io_partition_lag_seconds");
        const told = lags.map(({ labels }) => labels["partition"]);
        return isDeepStrictEqual(told, (await held()).flat());
      });
      expect(await cli.stop(), cli.output).toEqual(cleanExit);
    },
    120_000,
  );
});
