// `npm run test:aws`: the end-to-end suite against the AWS that AWS_ENDPOINT_URL names, or LocalStack of our own.
import process from "node:process";
import { parseArgs } from "node:util";
import { runVitest } from "./vitest-run.mjs";
import { main, prepareWorkspace, say } from "./workspace.mjs";

const usage = `npm run test:aws [-- options] [filter …]
  Runs the real CLI from Kinesis and DynamoDB at the address in AWS_ENDPOINT_URL into Pulsar at PULSAR_SERVICE_URL.
  Without the first, LocalStack 4.14.0 is started here (Python 3.13 and Java 17 are needed, Docker is not); without the second, a broker.

  --long        the full counts instead of the quick ones
  --seed N      seed of the random times, sizes and orders; default: the day, printed at the start
`;

const { values, positionals } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    seed: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
  allowPositionals: true,
});

/** What is wrong with a command line needs no AWS. */
const files = ["broker-restart", "delivery", "fan-out", "kill", "refused-record", "reshard", "source-tools"];

if (values.help) process.stdout.write(usage);
else await main(test);

async function test() {
  const { AWS_ENDPOINT_URL: given = "" } = process.env;
  const endpoint = given === "" ? "localstack" : new URL(given).href;
  const seed = values.seed ?? new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const tier = values.long ? "long" : "quick";
  await prepareWorkspace();
  say(`testing against ${given === "" ? "LocalStack of our own" : endpoint}: tier ${tier}, seed ${seed}`);
  const wanted = files.filter(
    (file) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
  );
  const filters = wanted.map((file) => `test/e2e/${file}.stack.test.ts`);
  const { passed, failed, skipped } = await runVitest(filters, {
    tier,
    seed,
    PULSAR_TS_IO_TEST_AWS: endpoint,
  });
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
