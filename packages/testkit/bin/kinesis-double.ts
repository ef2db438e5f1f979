import { startKinesisDouble } from "../src/index.ts";

/**
 * The programmable Kinesis as a process of its own, for benchmarks and for tests of the CLI.
 *
 *   node --import tsx --conditions=@pulsar-ts-io/source packages/testkit/bin/kinesis-double.ts [name:shards]...
 *
 * Prints one line of JSON, `{"endpoint":"http://127.0.0.1:…","pid":…}`, and runs until its standard input ends or it
 * gets SIGTERM. Faults and limits are set over HTTP: see `src/kinesis/control.ts`.
 */
const double = await startKinesisDouble();
for (const argument of process.argv.slice(2)) {
  const [name = "", shards = "1"] = argument.split(":");
  double.model.createStream(name, Number(shards));
}
process.stdout.write(`${JSON.stringify({ endpoint: double.endpoint, pid: process.pid })}\n`);

await new Promise<void>((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
  // Whoever started us holds the other end, and is gone when it closes.
  process.stdin.once("end", resolve).resume();
});
await double.close();
