import process from "node:process";
import { PulsarAdmin } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseExposition } from "../../runtime/test/support/exposition.ts";
import { type Backlog, startBacklog } from "../harness/backlog.ts";
import { awsTestCredentials } from "../harness/cli.ts";
import { Container } from "../harness/container.ts";
import { containerMemory } from "../harness/container-memory.ts";
import { eventually } from "../harness/eventually.ts";
import { buildManifests, type Manifests } from "../harness/kubernetes-manifests.ts";
import { sourceConfig } from "../harness/pipeline.ts";
import { podAsFlags } from "../harness/pod-flags.ts";
import { openProjectImage, type ProjectImage } from "../harness/project-image.ts";
import { storedMessages } from "../harness/stored-messages.ts";
import { byTier } from "../harness/tier.ts";
import { describeWithStack, type RunningStack, uniqueName } from "../stack.ts";

const content = {
  shards: 16,
  bytes: byTier({ quick: 250_000_000, long: 1_500_000_000 }),
  recordBytes: 70_000,
};
const ways = byTier({
  quick: [["fan-out", "LZ4"]],
  long: [
    ["polling", "LZ4"],
    ["polling", "NONE"],
    ["fan-out", "LZ4"],
    ["fan-out", "NONE"],
  ],
} as const);

describeWithStack(
  "a pod of the manifests with a backlog of incompressible records of 70 kB over 16 shards",
  (stack) => {
    let project: ProjectImage;
    let manifests: Manifests;
    beforeAll(async () => {
      project = await openProjectImage();
      manifests = await buildManifests("");
    }, 600_000);
    afterAll(() => project?.[Symbol.asyncDispose](), 60_000);

    it.each(ways)(
      "publishes it by %s with %s within the memory of its container, without a restart",
      async (way, compressionType) => {
        await using backlog = await startBacklog(content);
        const topic = `persistent://public/default/${backlog.streamName}`;
        const source = sourceOf(stack, backlog, { topic, compressionType, fanOut: way === "fan-out" });
        const { pod, container } = await start(source);
        await using _ = container;
        const admin = new PulsarAdmin(stack.pulsarAdminUrl);
        await eventually(
          "the last record",
          async () => {
            if (!(await container.running()))
              throw new Error(`the container ended: ${await container.logs()}`);
            if ((await restarts(container)).some((count) => count > 0)) {
              throw new Error(`an instance was restarted: ${await container.logs()}`);
            }
            return (await storedMessages(admin, topic)) >= backlog.records;
          },
          { timeoutMs: 900_000, everyMs: 500 },
        );
        const { peakBytes, processes } = await containerMemory(container.id);
        const mebibytes = (bytes: number) => Math.round(bytes / 1_048_576);
        process.stdout.write(
          `${way}, ${compressionType}: ${mebibytes(content.bytes)} MiB published, peak of the container ${mebibytes(peakBytes)} MiB, of its processes ${processes.map(mebibytes).join(" and ")} MiB resident\n`,
        );
        expect(await restarts(container), await container.logs()).toEqual([0]);
        const exit = await container.stop(pod.graceSeconds);
        expect(exit, await container.logs()).toMatchObject({ code: 0, outOfMemory: false });
        await admin.deleteTopic(topic);
      },
      1_000_000,
    );

    async function start(source: object) {
      const data = {
        "source.yaml": JSON.stringify(source),
        PULSAR_TS_IO_BROKER_SERVICE_URL: stack.pulsarServiceUrl,
      };
      const fields = {
        "metadata.labels['apps.kubernetes.io/pod-index']": "0",
        "metadata.namespace": "streams",
      };
      const pod = await podAsFlags(manifests, { fields, data });
      const credentials = Object.entries(awsTestCredentials).flatMap(([name, value]) => [
        "--env",
        `${name}=${value}`,
      ]);
      const flags = [...pod.flags, ...credentials];
      return { pod, container: await Container.run(project.engine, project.image, { ...pod, flags }) };
    }
  },
);

interface Way {
  readonly topic: string;
  readonly compressionType: string;
  readonly fanOut: boolean;
}

/** With the default budgets. */
function sourceOf(
  { dynamoEndpoint }: RunningStack,
  { kinesis, streamName }: Backlog,
  { topic, compressionType, fanOut }: Way,
): object {
  const applicationName = uniqueName("backlog");
  const kinesisEndpoint = kinesis.endpoint;
  const config = { useEnhancedFanOut: fanOut };
  return {
    name: streamName,
    sourceType: "kinesis",
    topicName: topic,
    producerConfig: { compressionType },
    configs: sourceConfig({ kinesisEndpoint, dynamoEndpoint, streamName, applicationName, config }),
  };
}

/** Of each instance in the container; none before it answers. */
async function restarts({ url }: Container): Promise<readonly number[]> {
  const text = await fetch(`${url}metrics`).then(
    (response) => response.text(),
    () => "",
  );
  const samples = parseExposition(text);
  return samples.flatMap(({ name, value }) => (name === "pulsar_ts_io_restarts_total" ? [value] : []));
}
