import process from "node:process";
import { hideSecretArguments } from "./cli/process-title.ts";

const hiddenFlags = hideSecretArguments(process);
const { runCli } = await import("./cli/cli.ts");
const { watchLoop } = await import("./supervise/loop-watchdog.ts");
const { endNow } = await import("./cli/end-now.ts");
await runCli(process, hiddenFlags, { watchLoop, endNow });
