import process from "node:process";
import { PulsarAdmin } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { type Backlog, startBacklog } from "../harness/backlog.ts";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { MemoryGroup } from "../harness/memory-group.ts";
import { sourceConfig } from "../harness/pipeline.ts";
import { peakResidentBytes } from "../harness/process-usage.ts";
import { storedMessages } from "../harness/stored-messages.ts";
import { byTier } from "../harness/tier.ts";
import { describeWithStack, type RunningStack, uniqueName } from "../stack.ts";

const mebibyte = 1_048_576;
/** As docs/operating.md recommends it, and deploy/kubernetes sets it. */
const limitBytes = 512 * mebibyte;
/** As docs/operating.md states it: the default budgets, and what a process takes beside them. */
const documentedBytes = (64 + 64 + 320) * mebibyte;

const content = {
  shards: 16,
  bytes: byTier({ quick: 250_000_000, long: 1_500_000_000 }),
  recordBytes: 70_000,
};
const ways = byTier({
  quick: [
    ["polling", "LZ4"],
    ["fan-out", "LZ4"],
  ],
  long: [
    ["polling", "LZ4"],
    ["polling", "NONE"],
    ["fan-out", "LZ4"],
    ["fan-out", "NONE"],
  ],
} as const);

describeWithStack("a backlog of incompressible records of 70 kB over 16 shards", (stack) => {
  it.each(ways)(
    "is published by %s with %s within 512 MiB, and in the memory that the documentation states",
    async (way, compressionType) => {
      await using backlog = await startBacklog(content);
      const limited = await MemoryGroup.available();
      await using group = limited ? await MemoryGroup.create(limitBytes) : undefined;
      const topic = `persistent://public/default/${backlog.streamName}`;
      await using cli = start(stack, backlog, { topic, compressionType, fanOut: way === "fan-out" });
      await group?.add(cli.pid);
      const admin = new PulsarAdmin(stack.pulsarAdminUrl);
      await eventually(
        "the last record",
        async () => {
          if (!cli.running) throw new Error(`the CLI ended: ${cli.output.slice(-4_000)}`);
          return (await storedMessages(admin, topic)) >= backlog.records;
        },
        { timeoutMs: 900_000, everyMs: 250 },
      );
      const peak = await peakResidentBytes(cli.pid);
      const mebibytes = (bytes: number) => Math.round(bytes / mebibyte);
      const ofGroup = group === undefined ? "" : `, its group ${mebibytes(await group.peakBytes())} MiB`;
      process.stdout.write(
        `${way}, ${compressionType}: ${mebibytes(content.bytes)} MiB published, peak RSS ${mebibytes(peak)} MiB${ofGroup}\n`,
      );
      expect(await cli.stop(), cli.output.slice(-4_000)).toEqual(cleanExit);
      expect(peak).toBeLessThan(documentedBytes);
      await admin.deleteTopic(topic);
    },
    1_000_000,
  );
});

interface Start {
  readonly topic: string;
  readonly compressionType: string;
  readonly fanOut: boolean;
}

/** With the default budgets, and a ceiling that would restart it. */
function start(
  stack: RunningStack,
  { kinesis, streamName }: Backlog,
  { topic, compressionType, fanOut }: Start,
) {
  const config = sourceConfig({
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint: stack.dynamoEndpoint,
    streamName,
    applicationName: uniqueName("backlog"),
    config: { useEnhancedFanOut: fanOut },
  });
  return new Cli([
    ...["run", "--source-type", "kinesis", "--name", streamName],
    ...["--broker-service-url", stack.pulsarServiceUrl, "--destination-topic-name", topic],
    ...["--producer-config", JSON.stringify({ compressionType })],
    ...["--source-config", JSON.stringify(config)],
  ]);
}
