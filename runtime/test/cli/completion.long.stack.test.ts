import { describe, expect, it } from "vitest";
import { loadingTime } from "../support/fake-process.ts";
import { installed, ShellHome } from "../support/shell-home.ts";

const home = new ShellHome();

describe.runIf(installed("fish"))("the completion of a real fish", loadingTime, () => {
  const tab = (line: string) =>
    home.lines("fish", "-c", `pulsar-ts-io completion fish | source; complete --do-complete '${line}'`);

  it("offers choices, connectors with what they are, and files", async () => {
    expect(await tab("pulsar-ts-io run --output=c")).toEqual(["--output=console"]);
    const [connector = ""] = await tab("pulsar-ts-io run -t data");
    expect(connector).toMatch(/^data-generator\t\w/);
    expect(await tab("pulsar-ts-io run --source-config-file my")).toEqual(["my config.yaml"]);
  });
});

/** Types into an interactive zsh, and shows its screen. */
const typedIntoZsh = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
see() { local piece all=; repeat 100; do zpty -r -t shell piece && all+=$piece || sleep 0.1; [[ $all == *$1* ]] && break; done; print -r -- $all; }
zpty -w shell 'PS1=; autoload -U compinit; compinit -u -D; source <(pulsar-ts-io completion zsh); print re''ady'
see ready > /dev/null
zpty -n -w shell $1$'\\t'
see $2
`;

describe.runIf(installed("zsh"))("the completion of a real zsh", loadingTime, () => {
  it.each([
    ["pulsar-ts-io par", "partitions"],
    ["pulsar-ts-io run --output=c", "--output=console"],
    ["pulsar-ts-io run -t data", "data-generator"],
    ["pulsar-ts-io run --source-config-file my", "config.yaml"],
  ])("completes %s", async (typed, expected) => {
    const screen = await home.lines("zsh", "-f", "-c", typedIntoZsh, "zsh", typed, expected);
    expect(screen.join("\n")).toContain(expected);
  });
});
