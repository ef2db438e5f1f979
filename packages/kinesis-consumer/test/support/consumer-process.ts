import { silentLogger, silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { createAwsClients, KinesisConsumer } from "../../src/index.ts";
import { usualOptions } from "./consumer-options.ts";

/** A consumer as a program: writes the text of each record it acknowledges as a line, and stops cleanly on SIGTERM. */
const [instanceId = "", streamName = "", kinesisEndpoint = "", dynamoEndpoint = ""] = process.argv.slice(2);
const clients = createAwsClients({
  region: "us-east-1",
  kinesisEndpoint,
  dynamoEndpoint,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
const host = {
  clock: systemClock,
  logger: silentLogger,
  meter: silentMeter,
  troubles: silentTroubles,
  releasePartition: () => Promise.resolve(),
};
const consumer = new KinesisConsumer(clients, host, {
  ...usualOptions,
  streamName,
  applicationName: `${streamName}-app`,
  instanceId,
  retrieval: { kind: "polling", idleMs: 200 },
});
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort(new Error("stopped")));
try {
  await consumer.open(stop.signal);
  for (;;) {
    const record = await consumer.read(stop.signal);
    process.stdout.write(`${Buffer.from(record.data).toString()}\n`);
    record.ack();
  }
} catch (error) {
  if (!stop.signal.aborted) throw error;
} finally {
  await consumer.close();
  clients.destroy();
}
