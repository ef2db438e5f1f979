import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Container } from "../harness/container.ts";
import { buildManifests, type Manifests } from "../harness/kubernetes-manifests.ts";
import { podAsFlags } from "../harness/pod-flags.ts";
import { openProjectImage, type ProjectImage } from "../harness/project-image.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const podIndex = "metadata.labels['apps.kubernetes.io/pod-index']";

describeWithStack("a pod of the manifests", (stack) => {
  let project: ProjectImage;
  let manifests: Manifests;
  beforeAll(async () => {
    project = await openProjectImage();
    manifests = await buildManifests("");
  }, 600_000);
  afterAll(() => project?.[Symbol.asyncDispose](), 60_000);

  const start = async (fields: Readonly<Record<string, string>>, broker: string) => {
    const source = {
      name: uniqueName("pod"),
      sourceType: "data-generator",
      topicName: `persistent://public/default/${uniqueName("pod")}`,
      configs: { count: 10, recordsPerSecond: 0, partitions: 2 },
    };
    const data = { "source.yaml": JSON.stringify(source), PULSAR_TS_IO_BROKER_SERVICE_URL: broker };
    const pod = await podAsFlags(manifests, { fields, data });
    return { pod, container: await Container.run(project.engine, project.image, pod) };
  };

  it("publishes, and stops with 0 within its grace period while the broker is away", async () => {
    await using broker = await startPulsar();
    const fields = { [podIndex]: "1", "metadata.namespace": "streams" };
    const { pod, container } = await start(fields, broker.serviceUrl);
    await using _ = container;
    expect(await container.answers("ready", 200)).toBe(200);
    // Half of the ten records: the other instance of the two has the others.
    expect(await container.shows("metrics", /^pulsar_source_written_total\{.*\} [1-9]/m)).toBe(true);
    await broker.kill();
    const exit = await container.stop(pod.graceSeconds);
    expect(exit, await container.logs()).toMatchObject({ code: 0, outOfMemory: false });
    expect(exit.stopMs).toBeLessThan(pod.graceSeconds * 1_000);
  }, 240_000);

  it("is alive and not ready while its first start waits for a broker, and stops with 0", async () => {
    const fields = { [podIndex]: "0", "metadata.namespace": "streams" };
    const { pod, container } = await start(fields, "pulsar://127.0.0.1:1");
    await using _ = container;
    expect(await container.answers("health", 200)).toBe(200);
    expect(await container.logsShow("started again after a pause"), await container.logs()).toBe(true);
    expect(await container.answers("ready", 503)).toBe(503);
    expect(await container.answers("health", 200)).toBe(200);
    expect(await container.stop(pod.graceSeconds)).toMatchObject({ code: 0 });
  }, 120_000);

  it("answers under the names of its Service, and under no other", async () => {
    const fields = { [podIndex]: "0", "metadata.namespace": "streams" };
    const { container } = await start(fields, stack.pulsarServiceUrl);
    await using _ = container;
    expect(await container.answers("health", 200)).toBe(200);
    const asked = (host: string) => statusUnder(container.url, host);
    expect(await asked("pulsar-ts-io:9094")).toBe(200);
    expect(await asked("pulsar-ts-io.streams:9094")).toBe(200);
    expect(await asked("other.streams:9094")).toBe(421);
  }, 120_000);

  it("is refused where Kubernetes gives it no number: every pod would be instance 0", async () => {
    const { container } = await start({ "metadata.namespace": "streams" }, stack.pulsarServiceUrl);
    await using _ = container;
    expect(await project.engine.docker(["wait", container.id])).toBe("2");
    expect(await container.logs()).toContain("PULSAR_TS_IO_INSTANCE_ID in the environment is empty");
  }, 120_000);
});

/** The status of /metrics for a request with this Host header, which `fetch` would not let a test set. */
async function statusUnder(url: string, host: string): Promise<number | undefined> {
  const sent = request(`${url}metrics`, { headers: { host }, agent: false });
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, "response");
  response?.resume();
  return response?.statusCode;
}
