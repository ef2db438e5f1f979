import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cli, loadingTime } from "../support/fake-process.ts";
import { ShellHome } from "../support/shell-home.ts";

/** What bash does at a TAB: words into variables, a call, candidates out of another one. */
const tabKey = `
source ./completion.bash
compopt() { echo "compopt $*"; }
COMP_WORDS=("$@")
COMP_CWORD=$(( $# - 1 ))
eval "$(complete -p pulsar-ts-io | sed 's/complete -F \\([^ ]*\\) .*/\\1/')"
printf '%s\\n' "\${COMPREPLY[@]}"
`;

describe("the completion of a real bash", loadingTime, () => {
  const home = new ShellHome();
  const tab = (...words: readonly string[]) =>
    home.lines("bash", "-c", tabKey, "bash", "pulsar-ts-io", ...words);

  beforeAll(async () => {
    const { stdout } = await cli(["completion", "bash"]);
    writeFileSync(join(home.folder, "completion.bash"), stdout);
  });

  it("offers what fits, connectors too, and runs nothing of what stands on the line", async () => {
    const trap = `$(touch ${join(home.folder, "trapped")})`;
    expect(await tab("run", "--name", trap, "--source-type", "data")).toEqual(["data-generator"]);
    expect(existsSync(join(home.folder, "trapped"))).toBe(false);
  });

  it("offers the value alone behind =, which bash takes for a word", async () => {
    expect(await tab("run", "--output", "=", "")).toEqual(["pulsar", "console"]);
  });

  it("leaves files to bash", async () => {
    expect(await tab("run", "--source-config-file", "my")).toEqual(["compopt -o default"]);
  });
});
