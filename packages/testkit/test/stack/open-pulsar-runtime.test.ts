import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPulsarRuntime } from "../../src/stack/open-pulsar-runtime.ts";
import { resolveStackOptions } from "../../src/stack/stack-options.ts";

describe("openPulsarRuntime", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-runtime-test-"));
    await mkdir(join(folder, "bin"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A machine that has these programs and no others, each a shell script. */
  async function machine(programs: Readonly<Record<string, string>>) {
    for (const [name, script] of Object.entries(programs)) {
      const file = join(folder, "bin", name);
      await writeFile(file, `#!/bin/sh\n${script}\n`);
      await chmod(file, 0o755);
    }
    const env = { PATH: join(folder, "bin"), PULSAR_TS_IO_CACHE: join(folder, "cache") };
    return resolveStackOptions({ env });
  }

  const place = () => ({
    version: "4.0.7",
    folder,
    configFile: join(folder, "standalone.conf"),
    ports: [16_650, 18_080],
    heapMb: 512,
  });

  it("takes Docker where there is no Java, with the same ports inside and outside", async () => {
    const log = join(folder, "calls");
    const options = await machine({ docker: `echo "$1" "$@" >> ${log}` });
    const runtime = await openPulsarRuntime(place(), options);
    expect(runtime.bindAddress).toBe("0.0.0.0");
    await runtime.remove();
    const calls = await readFile(log, "utf8");
    expect(calls.split("\n").map((line) => line.split(" ")[0])).toEqual(
      expect.arrayContaining(["info", "pull", "create", "rm"]),
    );
    expect(calls).toContain("--publish 127.0.0.1:16650:16650 --publish 127.0.0.1:18080:18080");
    expect(calls).toContain("apachepulsar/pulsar:4.0.7");
  });

  it.each([
    [{}, /neither Java 17 nor Docker/],
    [{ java: `echo 'openjdk version "1.8.0_1"' >&2`, mvn: ":" }, /neither Java 17 nor Docker/],
    [{ java: `echo 'openjdk version "17.0.1"' >&2` }, /neither Maven nor Docker/],
    [{ docker: "exit 1" }, /neither Java 17 nor Docker/],
  ])("says what is missing on a machine with %j", async (programs, message) => {
    const opened = openPulsarRuntime(place(), await machine(programs));
    await expect(opened).rejects.toMatchObject({
      code: "PIO_STACK_PART_MISSING",
      message: expect.stringMatching(message),
      remedy: expect.stringContaining("PULSAR_SERVICE_URL"),
    });
  });
});
