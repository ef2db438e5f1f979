import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type Clock, systemClock } from "@pulsar-ts-io/core";
import { type ConnectorPackage, inside } from "./connector-package.ts";

/** How trying a module went. */
export type ModuleTrial =
  | { readonly kind: "usable"; readonly tools: readonly string[] }
  | { readonly kind: "unusable"; readonly why: string };

const trialMs = 20_000;
const leavingMs = 3_000;
const memoryMegabytes = 512;

/** Runs in the worker, as it stands here. It imports, looks at the export and makes one source, as a host does. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const unusable = (why) => parentPort.postMessage({ kind: "unusable", why });
const message = (error) => error instanceof Error ? error.message : String(error);
import(workerData.url).then((module) => {
  const { exportName } = workerData;
  const exported = module[exportName];
  if (exported === undefined) return unusable("it does not export " + exportName);
  const lacking = ["open", "read", "close"].filter((name) => typeof exported?.prototype?.[name] !== "function");
  if (lacking.length > 0) return unusable(exportName + " is no class with " + lacking.join(", "));
  const tools = Object.entries(module.tools ?? {});
  const wrong = tools.filter(([, tool]) => typeof tool !== "function").map(([name]) => name);
  if (wrong.length > 0) return unusable("of its tools these are no functions: " + wrong.join(", "));
  try { new exported(); } catch (error) { return unusable(exportName + " cannot be made: " + message(error)); }
  parentPort.postMessage({ kind: "usable", tools: tools.map(([name]) => name) });
}, (error) => unusable("it fails to load: " + message(error)));
`;

/**
 * Loads the module of a connector in a thread of its own, so that whatever it does there ends with the thread.
 *
 * Also unusable: a module that does not come to an end, and one that keeps its process alive before its source was opened.
 */
export async function tryModule(
  { directory, manifest }: ConnectorPackage,
  clock: Clock = systemClock,
): Promise<ModuleTrial> {
  const { file, exportName } = manifest.sourceClass;
  const worker = new Worker(program, {
    eval: true,
    workerData: { url: pathToFileURL(inside(directory, file, "sourceClass")).href, exportName },
    resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
    stdout: true,
    stderr: true,
  });
  const finished = new AbortController();
  const after = async (ms: number, why: string): Promise<ModuleTrial> => {
    await clock.sleep(ms, finished.signal);
    return { kind: "unusable", why };
  };
  const left = new Promise<ModuleTrial>((resolve) => {
    worker.once("exit", () => resolve({ kind: "unusable", why: "it ends its process when it is loaded" }));
  });
  const told = new Promise<ModuleTrial>((resolve) => {
    worker.once("message", resolve);
  });
  const failed = new Promise<ModuleTrial>((resolve) => {
    worker.once("error", (error) => resolve({ kind: "unusable", why: `it fails aside: ${error.message}` }));
  });
  try {
    const trial = await Promise.race([
      told,
      failed,
      left,
      after(trialMs, `it is not loaded after ${trialMs / 1000} seconds`),
    ]);
    if (trial.kind === "unusable") return trial;
    const lingers = after(leavingMs, "it keeps a timer, a socket or a handle before its source is opened");
    return await Promise.race([failed, left.then(() => trial), lingers]);
  } finally {
    finished.abort(new Error("the module was tried"));
    await worker.terminate();
  }
}
