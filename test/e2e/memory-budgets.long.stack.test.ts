import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type LocalPulsar, PulsarAdmin, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Backlog, startBacklog } from "../harness/backlog.ts";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { sourceConfig } from "../harness/pipeline.ts";
import { peakResidentBytes } from "../harness/process-usage.ts";
import { storedMessages } from "../harness/stored-messages.ts";
import { describeWithStack, type RunningStack, uniqueName } from "../stack.ts";

const mebibyte = 1_048_576;
/** As docs/operating.md states it: what a process takes beside its budgets. */
const besideMebibytes = 320;
/** `--memory-limit-bytes` by default. */
const publisherMebibytes = 64;
/** How long the broker confirms nothing: until both budgets are full. */
const frozenMs = 8_000;

interface Size {
  readonly fanOut: boolean;
  readonly maxBufferedMebibytes: number;
  readonly recordBytes: number;
  readonly receiveQueueSize: number;
}

const sizes: readonly Size[] = [false, true].flatMap((fanOut) =>
  [16, 64, 128].flatMap((maxBufferedMebibytes) =>
    [1_000, 70_000, 1_000_000].map((recordBytes) => ({
      fanOut,
      maxBufferedMebibytes,
      recordBytes,
      receiveQueueSize: 10_000,
    })),
  ),
);

describeWithStack("the memory of an instance whose broker confirms nothing for a while", (stack) => {
  let broker: LocalPulsar;
  beforeAll(async () => {
    broker = await startPulsar();
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  it.each(sizes)(
    "is that of its budgets and what the documentation states beside them: fan-out $fanOut, maxBufferedBytes $maxBufferedMebibytes MiB, records of $recordBytes bytes",
    async (size) => {
      const { recordBytes, maxBufferedMebibytes } = size;
      const bytes = recordBytes === 1_000 ? 300_000_000 : 700_000_000;
      await using backlog = await startBacklog({ shards: 16, bytes, recordBytes });
      const topic = `persistent://public/default/${backlog.streamName}`;
      await using cli = start(stack, broker.serviceUrl, topic, backlog, size);
      const admin = new PulsarAdmin(broker.adminUrl);
      const arrival = (count: number) =>
        eventually(
          `${count} records`,
          async () => {
            if (!cli.running) throw new Error(`the CLI ended: ${cli.output.slice(-4_000)}`);
            return (await storedMessages(admin, topic)) >= count;
          },
          { timeoutMs: 300_000, everyMs: 250 },
        );
      await arrival(Math.floor(backlog.records / 3));
      process.kill(broker.pid, "SIGSTOP");
      await sleep(frozenMs).finally(() => process.kill(broker.pid, "SIGCONT"));
      await arrival(backlog.records);
      const peak = (await peakResidentBytes(cli.pid)) / mebibyte;
      const beside = peak - maxBufferedMebibytes - publisherMebibytes;
      process.stdout.write(
        `${JSON.stringify(size)}: peak RSS ${peak.toFixed()} MiB, ${beside.toFixed()} beside the budgets\n`,
      );
      expect(await cli.stop(), cli.output.slice(-4_000)).toEqual(cleanExit);
      expect(beside).toBeLessThan(besideMebibytes);
      await admin.deleteTopic(topic);
    },
    600_000,
  );
});

function start(
  { dynamoEndpoint }: RunningStack,
  pulsarServiceUrl: string,
  topic: string,
  { kinesis, streamName }: Backlog,
  { fanOut, maxBufferedMebibytes, receiveQueueSize }: Size,
): Cli {
  const config = sourceConfig({
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint,
    streamName,
    applicationName: uniqueName("budgets"),
    config: {
      useEnhancedFanOut: fanOut,
      maxBufferedBytes: maxBufferedMebibytes * mebibyte,
      receiveQueueSize,
    },
  });
  return new Cli([
    ...["run", "--source-type", "kinesis", "--name", streamName],
    ...["--broker-service-url", pulsarServiceUrl, "--destination-topic-name", topic],
    ...["--source-config", JSON.stringify(config)],
  ]);
}
