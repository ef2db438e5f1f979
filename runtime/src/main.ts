import process from "node:process";
import { hideSecretArguments } from "./cli/process-title.ts";

const hiddenFlags = hideSecretArguments(process);
const { runCli } = await import("./cli/cli.ts");
await runCli(process, hiddenFlags);
