import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Container } from "../harness/container.ts";
import { containerMemory } from "../harness/container-memory.ts";
import { buildManifests, type Manifests } from "../harness/kubernetes-manifests.ts";
import { podAsFlags } from "../harness/pod-flags.ts";
import { openProjectImage, type ProjectImage } from "../harness/project-image.ts";
import { uniqueName } from "../stack.ts";

const fixture = fileURLToPath(new URL("../../runtime/test/fixtures/growing", import.meta.url));

describe("a pod of the manifests whose connector keeps ever more memory", () => {
  let project: ProjectImage;
  let manifests: Manifests;
  let folder: string;
  beforeAll(async () => {
    project = await openProjectImage();
    manifests = await buildManifests("");
    folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-growing-"));
    await cp(fixture, join(folder, "growing"), { recursive: true });
  }, 600_000);
  afterAll(async () => {
    await project?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it("restarts its instance by --max-memory before the container's memory ends, and lives on", async () => {
    const source = { name: uniqueName("growing"), archive: "/growing", configs: {} };
    const data = { "source.yaml": JSON.stringify(source) };
    const fields = {
      "metadata.labels['apps.kubernetes.io/pod-index']": "0",
      "metadata.namespace": "streams",
    };
    const pod = await podAsFlags(manifests, { fields, data });
    const volume = [
      "--volume",
      `${join(folder, "growing")}:/growing:ro`,
      "--env",
      "PULSAR_TS_IO_OUTPUT=console",
    ];
    const flags = [...pod.flags, ...volume];
    await using container = await Container.run(project.engine, project.image, { ...pod, flags });
    expect(await container.logsShow("MB of --max-memory", 180_000), await container.logs()).toBe(true);
    expect(await container.logsShow("started again after a pause")).toBe(true);
    const { peakBytes, processes } = await containerMemory(container.id);
    process.stdout.write(
      `peak of the container ${Math.round(peakBytes / 1_048_576)} MiB, its processes ${processes.length}\n`,
    );
    expect(await container.shows("metrics", /^pulsar_ts_io_restarts_total\{.*\} [1-9]/m)).toBe(true);
    expect(await container.stop(pod.graceSeconds)).toMatchObject({ code: 0, outOfMemory: false });
  }, 300_000);
});
