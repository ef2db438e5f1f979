// `npm test` and `npm run test:long`: everything from a fresh clone to the last line, `N passed, N failed`.
import process from "node:process";
import { parseArgs } from "node:util";
import { runVitest } from "./vitest-run.mjs";
import { main, prepareWorkspace } from "./workspace.mjs";

const usage = `npm test [-- options] [filter …]
  --long        the full counts instead of the quick ones (npm run test:long)
  --part NAME   only the files whose path contains NAME; repeatable
  --seed N      seed of the random times, sizes and orders; default: the day, printed at the start
`;

const { values, positionals } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    part: { type: "string", multiple: true, default: [] },
    seed: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
  allowPositionals: true,
});

if (values.help) process.stdout.write(usage);
else await main(test);

async function test() {
  const seed = values.seed ?? new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const tier = values.long ? "long" : "quick";
  await prepareWorkspace();
  process.stdout.write(`testing: tier ${tier}, seed ${seed}\n`);
  const { passed, failed, skipped } = await runVitest([...values.part, ...positionals], { tier, seed });
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
