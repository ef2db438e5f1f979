// `npm run demo`: from a fresh clone to records travelling from a Kinesis stream through the real CLI.
import process from "node:process";
import { main, prepareWorkspace, runTypeScript } from "../workspace.mjs";

await main(async () => {
  await prepareWorkspace();
  await runTypeScript("test/demo/main.ts", process.argv.slice(2));
});
