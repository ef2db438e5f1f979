import { Argument, type Command } from "commander";
import type { CliHost } from "../cli-host.ts";
import { type Shell, shells } from "../shells.ts";
import { prepare } from "./prepare.ts";

const examples = `
Examples:
  pulsar-ts-io completion bash >> ~/.bashrc
  pulsar-ts-io completion zsh >> ~/.zshrc           (after compinit)
  pulsar-ts-io completion fish > ~/.config/fish/completions/pulsar-ts-io.fish

The script asks pulsar-ts-io itself at each TAB: it need not be made anew for another version.
`;

export function addCompletion(program: Command, host: CliHost): void {
  prepare(program.command("completion"), host)
    .description("print the script by which a shell completes this program's command lines")
    .addHelpText("after", examples)
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .action(async (shell: Shell) => {
      host.process.stdout.write((await import("../completion-scripts.ts")).completionScripts[shell]);
    });
  prepare(program.command("complete", { hidden: true }), host)
    .description("answer the scripts of `completion`")
    .argument("[words...]")
    .action(async (words: readonly string[]) =>
      (await import("../complete-command.ts")).completeCommand(program, words, host),
    );
}
