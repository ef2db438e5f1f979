// `npm run bench`: what a record costs on its way from Kinesis to Pulsar.
import { existsSync } from "node:fs";
import process from "node:process";
import { assemblePackages, main, prepareWorkspace, root, runTypeScript } from "./workspace.mjs";

/** Each part has its own `--help`. */
const parts = {
  all: "test/bench/all.ts",
  instances: "test/bench/instances/main.ts",
  java: "test/bench/java/main.ts",
  latency: "test/bench/latency/main.ts",
  loop: "test/bench/loop/main.ts",
  pipeline: "test/bench/main.ts",
  profile: "test/bench/profile/main.ts",
  publish: "test/bench/publish/main.ts",
  report: "test/bench/performance/main.ts",
  shards: "test/bench/shards.ts",
  soak: "test/bench/soak/main.ts",
  start: "test/bench/start/main.ts",
};

await main(async () => {
  const [first, ...rest] = process.argv.slice(2);
  const named = first !== undefined && !first.startsWith("-");
  const part = named ? first : "pipeline";
  const file = Object.hasOwn(parts, part) ? parts[part] : undefined;
  if (file === undefined || !existsSync(`${root}/${file}`)) {
    throw new Error(`there is no benchmark ${part}; there are ${Object.keys(parts).join(", ")}`);
  }
  // Standard output is the result's.
  await prepareWorkspace({ progress: process.stderr });
  // What users run, which starts faster than the workspace's own.
  process.env.PULSAR_TS_IO_BIN ??= await assemblePackages({ progress: process.stderr });
  await runTypeScript(file, named ? rest : process.argv.slice(2));
});
