import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

const canary = "canary-in-a-mine";

/** The command lines of a process and of its children. */
function commandLines(pid: number | undefined): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  const ids = [String(pid), ...children.filter(Boolean)];
  return ids.map((id) => readFileSync(`/proc/${id}/cmdline`, "utf8")).join("\n");
}

async function pagesOf(cli: RealCli): Promise<string> {
  await cli.shows('"url":"http');
  const url = /"url":"(http[^"]+)"/.exec(cli.stderr)?.[1] ?? "";
  const paths = ["/", "/metrics", "/health", "/ready", "/status", "/status.json", "/history"];
  const texts = await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(new URL(path, url));
      return `${path} ${response.status} ${await response.text()}`;
    }),
  );
  return texts.join("\n");
}

describe.runIf(process.platform === "linux")("a secret in every place that takes one", () => {
  it.each(["1", "2"])(
    "is seen nowhere, in no output, page, error or process list, with %s instances",
    async (instances) => {
      const directory = mkdtempSync(join(tmpdir(), "canary-"));
      const file = join(directory, "key");
      const state = join(directory, "state");
      writeFileSync(file, `${canary}\n`);
      await using cli = new RealCli(
        [
          ...["run", "--archive", fixture("leaking"), "--output", "console", "--parallelism", instances],
          ...["--http-port", "0", "--state-store", `file:${state}`, "--log-level", "debug"],
          ...["--source-config", JSON.stringify({ label: "stay", apiKey: `\${file:${file}}` })],
          ...["--secrets", JSON.stringify({ other: `${canary}-in-the-map`, third: { path: "p", key: "k" } })],
          ...["--secrets-provider", "env", "--client-auth-plugin", "token"],
          ...["--client-auth-params", `token:${canary}-of-the-broker`],
        ],
        { other: `${canary}-in-the-environment`, P_K: `${canary}-in-another-variable` },
      );
      await cli.shows("it is started again after a pause");
      const pages = await pagesOf(cli);
      expect(pages).toContain("/status 200");
      expect(pages).toContain("read failed with (redacted)");
      expect(pages).not.toContain(canary);
      expect(commandLines(cli.child.pid)).not.toContain(canary);
      cli.kill("SIGTERM");
      expect((await cli.exited).code).toBe(0);
      expect(cli.stderr).toContain("told in a sentence: (redacted)");
      expect(cli.stderr).toContain("secrets on the command line");
      const shown = instances === "1" ? cli.stderr.replaceAll(/^told behind.*$/gm, "") : cli.stderr;
      expect(shown + cli.stdout).not.toContain(canary);
      expect(readdirSync(directory)).toEqual(["key"]);
    },
  );
});
