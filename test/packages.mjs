// Packs every package, checks the tarballs as npm's users will meet them, publishes them to a registry on this machine, and from there
// installs them as a user does (npm and pnpm, nobody's install script run, the oldest Node that is meant to do and a newer one) and
// makes connectors as a new author does, up to records in a broker. --sbom FILE writes what npm installed, as CycloneDX has it.
import process from "node:process";
import { assemblePackages, main, prepareWorkspace, runTypeScript } from "./workspace.mjs";

await main(async () => {
  await prepareWorkspace();
  await assemblePackages();
  await runTypeScript("test/packages/check.ts", process.argv.slice(2));
});
