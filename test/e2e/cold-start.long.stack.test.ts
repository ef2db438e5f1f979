import { expect, it } from "vitest";
import { DoubleProcess } from "../bench/double-process.ts";
import { measureColdStart } from "../harness/cold-start.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const shards = 1_200;
const roundTripMs = 30;
const boundMs = 25_000;
/** Other work on the machine only ever adds to a start: the quickest of these is what the start itself takes. */
const mostRounds = 3;

describeWithStack("a cold start of the CLI on 1,200 shards, 30 ms a call", (stack) => {
  it("has written a record of each shard within 25 s of the start of the process", async () => {
    const times: number[] = [];
    for (let round = 0; round < mostRounds && !(Math.min(...times) < boundMs); round += 1) {
      await using kinesis = await DoubleProcess.start();
      const start = await measureColdStart({
        kinesisEndpoint: kinesis.endpoint,
        dynamoEndpoint: stack.dynamoEndpoint,
        name: uniqueName("cold-start"),
        shards,
        roundTripMs,
        fanOut: false,
        withinMs: 180_000,
      });
      process.stdout.write(`cold start on ${shards} shards: ${JSON.stringify(start)}\n`);
      times.push(start.everyShardReadMs);
    }
    expect(Math.min(...times)).toBeLessThan(boundMs);
  }, 900_000);
});
