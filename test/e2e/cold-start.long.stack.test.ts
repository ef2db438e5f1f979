import { availableParallelism, loadavg } from "node:os";
import { expect, it } from "vitest";
import { DoubleProcess } from "../bench/double-process.ts";
import { measureColdStart } from "../harness/cold-start.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const shards = 1_200;
const roundTripMs = 30;
const boundMs = 25_000;

describeWithStack("a cold start of the CLI on 1,200 shards, 30 ms a call", (stack) => {
  it("has written a record of each shard within 25 s on a quiet machine, and loses no lease", async () => {
    await using kinesis = await DoubleProcess.start();
    const [load = 0] = loadavg();
    const start = await measureColdStart({
      kinesisEndpoint: kinesis.endpoint,
      dynamoEndpoint: stack.dynamoEndpoint,
      name: uniqueName("cold-start"),
      shards,
      roundTripMs,
      fanOut: false,
      withinMs: 300_000,
    });
    process.stdout.write(`cold start on ${shards} shards at load ${load}: ${JSON.stringify(start)}\n`);
    // On a machine that others keep busy, a second of computing takes that much longer.
    const slowness = Math.max(1, (load + 1) / availableParallelism());
    expect(start.everyShardReadMs).toBeLessThan(boundMs * slowness);
    expect(start.leasesLost).toBe(0);
  }, 600_000);
});
