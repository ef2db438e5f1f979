// The documents' quick start against LocalStack, where all AWS services answer behind one address.
import process from "node:process";
import { main, prepareWorkspace, runTypeScript } from "./workspace.mjs";

await main(async () => {
  await prepareWorkspace();
  await runTypeScript("test/localstack/quick-start.ts", process.argv.slice(2));
});
