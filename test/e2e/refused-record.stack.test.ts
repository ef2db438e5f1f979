import { startPulsar } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import type { Cli } from "../harness/cli.ts";
import { Journey } from "../harness/journey.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { runSeed } from "../harness/tier.ts";
import { describeWithStack } from "../stack.ts";

const limitBytes = 262_144;

describeWithStack("a record that Pulsar will never take", (stack) => {
  it("ends the run with its reason, and is read again at each start: no checkpoint passes it", async () => {
    await using broker = await startPulsar({ maxMessageSize: limitBytes });
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    await using journey = await Journey.begin(own, "refused-record", 1);
    await journey.putTexts(20);
    const before = journey.stored.length;
    const tooLarge = new SeededRandom(runSeed).bytes(2 * limitBytes);
    const [refused] = await journey.stream.put([{ key: "too large", data: tooLarge }]);
    await journey.putTexts(20);

    await using first = journey.run();
    await expectRefusal(first);
    await journey.follower.distinct(before);
    await using second = journey.run();
    await expectRefusal(second);
    expect(journey.follower.sequenceNumbers).not.toContain(refused?.sequenceNumber);
    expect(journey.comparison()).toMatchObject({ altered: 0, strange: 0, disordered: 0 });
  });
});

async function expectRefusal(cli: Cli): Promise<void> {
  expect(await cli.exited, cli.output).toEqual({ code: 5, signal: null });
  const errors = cli.stderr.filter((line) => line.startsWith("error: "));
  expect(errors).toEqual([expect.stringMatching(/\b262144\b.*\[PIO_MESSAGE_TOO_LARGE\]$/)]);
  expect(cli.stderr.filter((line) => line.startsWith("remedy: "))).toHaveLength(1);
}
