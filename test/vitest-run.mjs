// Runs vitest and counts, so that whoever calls can add up.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { exitCodeOf } from "./workspace.mjs";

/**
 * @param filters parts of the paths of test files; none: all of them
 * @param options tier (`quick` or `long`) and seed, which the tests read from the environment, as all that is given besides
 */
export async function runVitest(filters, { tier, seed, ...env }) {
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-test-"));
  const report = join(folder, "report.json");
  try {
    const code = await exitCodeOf(
      process.execPath,
      [
        "node_modules/vitest/vitest.mjs",
        "run",
        ...filters,
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
      ],
      { ...process.env, ...env, PULSAR_TS_IO_TIER: tier, PULSAR_TS_IO_SEED: seed },
    );
    return count(JSON.parse(await readFile(report, "utf8")), code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file that could not be collected, and an error outside of every test, count as one failure each. */
function count(report, code) {
  const uncollected = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  const failed = report.numFailedTests + uncollected.length;
  return {
    passed: report.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
