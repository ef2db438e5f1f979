import { spawn } from "node:child_process";
import { join } from "node:path";
import { Child } from "../../src/stack/child.ts";

/** Starts a child, and a process that has left its group as LocalStack's servers do; prints both ids; waits to be killed. */
const [folder = ""] = process.argv.slice(2);
const child = await Child.start("sleep", ["1000"], { logFile: join(folder, "log"), folder });
const stray = spawn("sh", ["-c", "sleep 1000; :", join(folder, "data")], { detached: true, stdio: "ignore" });
process.stdout.write(`${JSON.stringify([child.pid, stray.pid])}\n`);
setInterval(() => {}, 1_000);
