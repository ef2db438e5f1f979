import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openDockerImage } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openProjectImage, type ProjectImage } from "../harness/project-image.ts";

const folder = fileURLToPath(new URL("function-mesh", import.meta.url));
const golden = new URL("../golden/function-mesh-command.txt", import.meta.url);

describe("an image for Function Mesh", () => {
  let project: ProjectImage;
  let image: string;
  beforeAll(async () => {
    project = await openProjectImage();
    await project.engine.docker(["tag", project.image, "pulsar-ts-io:test"]);
    const key = project.image.slice(project.image.indexOf(":") + 1);
    image = await openDockerImage(project.engine, {
      context: folder,
      name: "pulsar-ts-io-function-mesh",
      key,
    });
  }, 600_000);
  afterAll(() => project?.[Symbol.asyncDispose](), 60_000);

  it("reaches pulsar-ts-io by the operator's own command, as its user without a name", async () => {
    const command = await operatorCommand();
    const user = [
      "--user",
      "10000:10001",
      "--env",
      "HOME=/",
      "--env",
      "POD_NAME=kin-source-1",
      "--network",
      "none",
    ];
    const rights = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
    const id = await project.engine.docker([
      "run",
      "--detach",
      ...user,
      ...rights,
      image,
      "bash",
      "-c",
      command,
    ]);
    expect(await project.engine.docker(["wait", id])).toBe("2"); // refused by pulsar-ts-io: it has no such options
    const logs = await project.engine.docker(["logs", id], { withErrors: true });
    expect(logs).toContain("shardId=1");
    expect(logs).toContain("--jar");
    expect(logs).toContain("[PIO_USAGE]");
  }, 120_000);
});

/** The third word of `bash -c …` in the recorded pod. */
async function operatorCommand(): Promise<string> {
  const text = await readFile(golden, "utf8");
  const start = text.indexOf("CMD|SHARD_ID");
  const end = text.indexOf("\nENV|");
  if (start < 0 || end < 0) throw new Error("no command in the golden file");
  return text.slice(start + "CMD|".length, end);
}
