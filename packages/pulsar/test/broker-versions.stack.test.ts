import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { byTier } from "../../../test/harness/tier.ts";
import { describeWithStack } from "../../../test/stack.ts";

/** The oldest and the newest release that starts on Java 17 with its jars from Maven Central; others get the one of every run. */
const releases: readonly string[] = ["3.0.7", "4.2.4"];
const files = [
  "wire-transport.stack",
  "broker-faults.stack",
  "broker-versions.stack",
  "contract/wire-contract.long.stack",
].map((name) => `packages/pulsar/test/${name}.test.ts`);
const home = fileURLToPath(new URL("../../../", import.meta.url));

/** What vitest's JSON reporter writes, as far as we look at it. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Runs the wire transport's stack tests on brokers of that release. */
async function runOn(version: string): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-versions-"));
  try {
    const report = join(folder, "report.json");
    const vitest = join(home, "node_modules/vitest/vitest.mjs");
    const args = ["run", "--project", "stack", ...files, "--reporter=json", `--outputFile.json=${report}`];
    const child = spawn(process.execPath, [vitest, ...args], {
      cwd: home,
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        PULSAR_TS_IO_PULSAR_VERSION: version,
        PULSAR_TS_IO_TIER: "long",
        PULSAR_SERVICE_URL: "",
      },
    });
    await once(child, "close");
    return JSON.parse(await readFile(report, "utf8")) as Report; // as vitest writes it
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Empty: the release of every run. */
const asked = process.env["PULSAR_TS_IO_PULSAR_VERSION"] ?? "";

describeWithStack("the wire transport and releases of Pulsar", (stack) => {
  it("talks to a broker of the release that this run is for", async () => {
    const response = await fetch(`${stack.pulsarAdminUrl}/admin/v2/brokers/version`);
    // A broker that was given may be of any.
    const wanted = (process.env["PULSAR_SERVICE_URL"] ?? "") === "" ? asked || "4.0.7" : "";
    expect(await response.text()).toContain(wanted);
  });

  it.each(byTier({ quick: [], long: asked === "" ? releases : [] }))(
    "passes its suite on Pulsar %s",
    { timeout: 1_200_000 },
    async (version) => {
      const { testResults, numPassedTests } = await runOn(version);
      const failed = testResults.flatMap(({ status, message, assertionResults }) =>
        status === "failed" && assertionResults.length === 0
          ? [message]
          : assertionResults.filter((test) => test.status !== "passed").map((test) => test.fullName),
      );
      expect(failed).toEqual([]);
      expect(testResults).toHaveLength(files.length);
      expect(numPassedTests).toBeGreaterThan(15);
    },
  );
});
