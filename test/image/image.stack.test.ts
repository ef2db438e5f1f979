import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Container } from "../harness/container.ts";
import { openProjectImage, type ProjectImage } from "../harness/project-image.ts";

const buildMs = 600_000;
/** As OpenShift runs any image: a user id that no image knows, the root group, nothing writable but volumes. */
const unprivileged = [
  "--user",
  "12345:0",
  "--read-only",
  "--cap-drop",
  "ALL",
  "--security-opt",
  "no-new-privileges",
];
const generator = ["run", "--source-type", "data-generator", "--output", "console"];

describe("the image", () => {
  let project: ProjectImage;
  beforeAll(async () => {
    project = await openProjectImage();
  }, buildMs);
  afterAll(() => project?.[Symbol.asyncDispose](), 60_000);

  const run = (flags: readonly string[], args: readonly string[]) =>
    Container.run(project.engine, project.image, { flags, args });
  const listing = async (script: string): Promise<string> =>
    await project.engine.docker([
      "run",
      "--rm",
      "--network",
      "none",
      "--entrypoint",
      "/nodejs/bin/node",
      project.image,
      "-e",
      script,
    ]);

  it("holds production files only, its licence, and no package without its library", async () => {
    const files = (
      await listing('console.log(fs.readdirSync("/app", { recursive: true }).join("\\n"))')
    ).split("\n");
    expect(files).toContain("LICENSE");
    expect(files.filter((file) => /\.([cm]?tsx?|map|tsbuildinfo)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /pulsar-client|node-pre-gyp|protobufjs/.test(file))).toEqual([]);
    expect(files.filter((file) => /^src(\/|$)/.test(file))).toEqual([]);
    // A package is listed under each link to it: every file counts once.
    const bytes = await listing(
      'const seen = new Map(); for (const f of fs.readdirSync("/app", { recursive: true })) { const s = fs.lstatSync("/app/" + f); if (s.isFile()) seen.set(s.ino, s.size); } let sum = 0; for (const size of seen.values()) sum += size; console.log(sum)',
    );
    expect(Number(bytes)).toBeLessThan(36 * 1_048_576);
  });

  it("belongs to root and runs as a user id that Kubernetes can check", async () => {
    expect(
      await listing('const { uid, mode } = fs.statSync("/app/bin"); console.log(uid, mode & 0o022)'),
    ).toBe("0 0");
    const user = await project.engine.docker(["inspect", "--format", "{{.Config.User}}", project.image]);
    expect(user).toBe("65532:65532");
  });

  it("runs as any user id, without rights and on a read-only file system, is healthy and stops with 0", async () => {
    const often = ["--health-interval", "2s", "--health-start-period", "30s"];
    await using container = await run([...unprivileged, ...often], generator);
    expect(await container.answers("ready", 200)).toBe(200);
    expect(await container.health()).toBe("healthy");
    expect(await container.stop(60)).toMatchObject({ code: 0, outOfMemory: false });
  }, 180_000);

  it("answers under an IPv6 address", async () => {
    await using container = await run(unprivileged, generator);
    expect(await container.answers("health", 200)).toBe(200);
    const { port } = new URL(container.url);
    expect((await fetch(`http://[::1]:${port}/health`)).status).toBe(200);
  }, 120_000);
});
