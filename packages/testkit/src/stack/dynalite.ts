import { createRequire } from "node:module";
import { freePort } from "./free-ports.ts";
import { type LocalService, startService } from "./local-service.ts";
import { peerFile } from "./peer-package.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";

const require = createRequire(import.meta.url);

/** How long a table is CREATING, milliseconds. */
const createTableMs = 10;

/**
 * Starts dynalite, a DynamoDB of npm that needs no Java: for demonstrations. It has no transactions, no TTL, no
 * point-in-time recovery, and does not return the item of a failed condition.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) when the optional peer `dynalite` is not installed; StackStartError
 */
export async function startDynalite(options: StackOptions = {}): Promise<LocalService> {
  const resolved = resolveStackOptions(options);
  const port = await freePort();
  const args = [
    peerFile("dynalite", () => require.resolve("dynalite/cli.js")),
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--createTableMs",
    String(createTableMs),
  ];
  const env = { ...resolved.env, NODE_OPTIONS: "" };
  return await startService({ title: "dynalite", command: process.execPath, args, port, env }, resolved);
}
