// `npm run bench`: what a record costs on its way from Kinesis to Pulsar.
import process from "node:process";
import { main, prepareWorkspace, runTypeScript } from "./workspace.mjs";

await main(async () => {
  await prepareWorkspace();
  await runTypeScript("test/bench/main.ts", process.argv.slice(2));
});
