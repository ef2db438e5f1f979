import { expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { describeWithStack, type RunningStack } from "../stack.ts";

const recordsPerStart = 40;

describeWithStack("the first record of a start", (stack) => {
  it("is in Pulsar within 4 s on a fresh table, 2 s after a clean stop and 8 s after a kill", async () => {
    await warmUp(stack);
    await using journey = await Journey.begin(stack, "first-record", 4);

    await journey.putTexts(recordsPerStart);
    await using fresh = journey.run();
    const onFreshTable = await firstRecordMs(journey, fresh);
    expect(await fresh.stop(), fresh.output).toEqual(cleanExit);

    await journey.putTexts(recordsPerStart);
    await using clean = journey.run();
    const afterCleanStop = await firstRecordMs(journey, clean);
    await clean.crash();

    await journey.putTexts(recordsPerStart);
    await using killed = journey.run();
    const afterKill = await firstRecordMs(journey, killed);
    expect(await killed.stop(), killed.output).toEqual(cleanExit);

    process.stdout.write(
      `first record: fresh table ${onFreshTable} ms, clean stop ${afterCleanStop} ms, kill ${afterKill} ms\n`,
    );
    expect(onFreshTable).toBeLessThan(4_000);
    expect(afterCleanStop).toBeLessThan(2_000);
    expect(afterKill).toBeLessThan(8_000);
  });
});

/** The emulators take seconds over their own first answers, which are not what is measured. */
async function warmUp(stack: RunningStack): Promise<void> {
  await using journey = await Journey.begin(stack, "warm-up", 1);
  await journey.putTexts(1);
  await using cli = journey.run();
  await journey.arrived();
  expect(await cli.stop(), cli.output).toEqual(cleanExit);
}

/** From the start of the process to the publish time of its first message, once all that was put has arrived. */
async function firstRecordMs(journey: Journey, cli: Cli): Promise<number> {
  const known = journey.follower.messages.length;
  await journey.arrived();
  const [first] = journey.follower.messages.slice(known);
  return (first?.publishTime ?? Number.POSITIVE_INFINITY) - cli.startedAt;
}
