import { systemClock } from "@pulsar-ts-io/core";
import { type LocalPulsar, startKinesisDouble, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../harness/cli.ts";
import { exactlyAsPut } from "../harness/comparison.ts";
import { startDynamoGate } from "../harness/dynamo-gate.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { LeaseRows } from "../harness/lease-rows.ts";
import { sourceConfig } from "../harness/pipeline.ts";
import { describeWithStack, type RunningStack } from "../stack.ts";

/** What happens between a worker that was killed and the next one. */
interface Event {
  readonly name: string;
  /** What of all that was published before may be in the topic once more, with EFFECTIVELY_ONCE. */
  readonly repeats: "nothing" | "what was not checkpointed" | "everything";
  happen(stage: Stage): Promise<void>;
  /** What both workers are told besides, and what only the next one. */
  readonly both?: Readonly<Record<string, unknown>>;
  readonly next?: Readonly<Record<string, unknown>>;
}

interface Stage {
  readonly stack: RunningStack;
  readonly journey: Journey;
  readonly rows: LeaseRows;
  /** Lets so much time pass for Kinesis. */
  pass(ms: number): void;
}

const events: readonly Event[] = [
  { name: "nothing happens", repeats: "nothing", happen: () => Promise.resolve() },
  {
    name: "nothing happens, and both read by enhanced fan-out",
    repeats: "nothing",
    happen: () => Promise.resolve(),
    both: { useEnhancedFanOut: true },
  },
  {
    name: "the oldest records are trimmed, the checkpoint's among them",
    repeats: "nothing", // they are not there to be read again
    happen: async ({ pass }) => pass(25 * 3_600_000),
  },
  { name: "the positions are reset to the beginning", repeats: "everything", happen: reset },
  {
    name: "the lease table is deleted",
    repeats: "everything",
    happen: ({ rows, journey }) => rows.deleteTable(journey.applicationName),
  },
  {
    name: "packed records are to be unpacked otherwise",
    repeats: "what was not checkpointed",
    happen: () => Promise.resolve(),
    next: { kplHashRangeFilter: "off" },
  },
];

describeWithStack("a worker that was killed, and its successor", (stack) => {
  let broker: LocalPulsar;
  let shiftMs = 0;

  beforeAll(async () => {
    broker = await startPulsar({ deduplication: true });
  });

  afterAll(() => broker.stop());

  const cases = events.flatMap((event) =>
    (["EFFECTIVELY_ONCE", "ATLEAST_ONCE"] as const).map((guarantee) => ({
      guarantee,
      event,
      name: event.name,
    })),
  );

  it.each(cases)(
    "lose nothing with $guarantee when between them $name",
    async ({ guarantee, event }) => {
      await using kinesis = await startKinesisDouble({
        clock: { ...systemClock, now: () => Date.now() + shiftMs },
      });
      const own: RunningStack = {
        ...stack,
        kinesisEndpoint: kinesis.endpoint,
        pulsarServiceUrl: broker.serviceUrl,
        pulsarAdminUrl: broker.adminUrl,
      };
      await using journey = await Journey.begin(own, "new-epoch", 2);
      using rows = new LeaseRows(stack.dynamoEndpoint);
      const args = ["--processing-guarantees", guarantee, "--web-service-url", broker.adminUrl];

      const { both = {}, next = {} } = event;
      await using first = journey.run({ args, config: both });
      await journey.putTexts(400);
      await journey.arrived();
      const before = journey.follower.messages.length;
      await journey.putTexts(100);
      await journey.arrived();
      await first.crash();
      await event.happen({
        stack: own,
        journey,
        rows,
        pass: (ms) => {
          shiftMs += ms;
        },
      });
      await journey.putTexts(200);
      await using second = journey.run({ args, config: { ...both, ...next } });
      await journey.arrived();
      expect(await second.stop(), second.output).toEqual(cleanExit);

      const comparison = journey.comparison();
      expect(comparison, second.output).toEqual({ ...exactlyAsPut, repeated: comparison.repeated });
      if (guarantee === "EFFECTIVELY_ONCE" && event.repeats === "nothing")
        expect(comparison.repeated).toBe(0);
      if (event.repeats === "everything") expect(comparison.repeated).toBe(500);
      else expect(comparison.repeated).toBeLessThanOrEqual(500);
      expect(before).toBe(400);
    },
    180_000,
  );

  it("repeat nothing with EFFECTIVELY_ONCE when the first one had stored no checkpoint at all", async () => {
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    await using journey = await Journey.begin(own, "no-checkpoint", 2);
    using rows = new LeaseRows(stack.dynamoEndpoint);
    const args = ["--processing-guarantees", "EFFECTIVELY_ONCE", "--web-service-url", broker.adminUrl];
    await journey.putTexts(300);
    // However slow the machine is: no checkpoint is stored, as if the worker were killed before its first one.
    const throttle = "ProvisionedThroughputExceededException";
    await using gate = await startDynamoGate(stack.dynamoEndpoint, throttle, movesCheckpoint);
    await using first = journey.run({ args, dynamoEndpoint: gate.endpoint });
    await journey.arrived();
    await first.crash();
    const checkpoints = (await rows.of(journey.applicationName)).map((row) => row["checkpoint"]?.S);
    expect(checkpoints).toEqual(["TRIM_HORIZON", "TRIM_HORIZON"]); // else it proves nothing
    await using second = journey.run({ args });
    await journey.putTexts(100);
    await journey.arrived();
    expect(await second.stop(), second.output).toEqual(cleanExit);
    expect(journey.comparison()).toEqual(exactlyAsPut);
  }, 180_000);
});

/** Whether a request to DynamoDB sets the checkpoint of a lease to a sequence number. */
function movesCheckpoint(operation: string, body: string): boolean {
  if (operation !== "UpdateItem") return false;
  const {
    UpdateExpression: update = "",
    ExpressionAttributeNames: names = {},
    ExpressionAttributeValues: values = {},
  } = JSON.parse(body);
  const name = Object.keys(names).find((key) => names[key] === "checkpoint") ?? "checkpoint";
  const value = new RegExp(`${name} = (:\\w+)`).exec(String(update))?.[1] ?? "";
  return /^\d+$/.test(values[value]?.S ?? "");
}

async function reset({ stack, journey }: Stage): Promise<void> {
  const { applicationName } = journey;
  const config = JSON.stringify(sourceConfig({ ...stack, streamName: journey.stream.name, applicationName }));
  const args = ["--to", "TRIM_HORIZON", "--yes", "--source-type", "kinesis", "--source-config", config];
  const outcome = await runCli(["partitions", "reset", ...args]);
  expect(outcome.code, outcome.stderr).toBe(0);
}
