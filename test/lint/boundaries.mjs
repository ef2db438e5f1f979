// Holds the one-way imports of .dependency-cruiser.cjs, and that the tool really looked.
import { createRequire } from "node:module";
import process from "node:process";
import { cruise } from "dependency-cruiser";

/** Fewer modules than this means that the sources were not read, and that every rule held for nothing. */
const fewestModules = 50;

const { forbidden, options } = createRequire(import.meta.url)("../../.dependency-cruiser.cjs");
const { output } = await cruise(["packages", "connectors", "runtime"], {
  ...options,
  validate: true,
  ruleSet: { forbidden },
  includeOnly: "/src/|^node_modules|@aws-sdk",
  outputType: "json",
});
const { summary } = typeof output === "string" ? JSON.parse(output) : output;
for (const { from, to, rule } of summary.violations) process.stderr.write(`${rule.name}: ${from} -> ${to}\n`);
const looked = summary.totalCruised >= fewestModules;
if (!looked) process.stderr.write(`only ${summary.totalCruised} modules were read\n`);
process.stdout.write(
  `boundaries: ${summary.totalCruised} modules, ${summary.violations.length} violations\n`,
);
process.exitCode = looked && summary.violations.length === 0 ? 0 : 1;
