import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { silentLogger, silentMeter, systemClock } from "@pulsar-ts-io/core";
import {
  type Compression,
  createWireTransport,
  type Delivery,
  defaultPublisherOptions,
  type OutgoingMessage,
  type Publisher,
} from "../src/index.ts";

/**
 * Publishes messages of one size with a key and four properties, awaits every receipt, and prints one JSON document:
 * CPU µs a message, messages a second, peak RSS. In a process of its own, against a broker given by its URL.
 *
 *     node --import tsx --conditions=@pulsar-ts-io/source packages/pulsar/bench/publish.ts --url pulsar://localhost:6650
 */
const { values } = parseArgs({
  options: {
    url: { type: "string", default: process.env["PULSAR_SERVICE_URL"] ?? "pulsar://localhost:6650" },
    topic: { type: "string", default: `bench-${process.pid}-${Date.now()}` },
    messages: { type: "string", default: "200000" },
    bytes: { type: "string", default: "1024" },
    compression: { type: "string", default: "NONE" },
    pending: { type: "string", default: "1000" },
    "no-batching": { type: "boolean", default: false },
  },
});

const never = new AbortController().signal;

class Count implements Delivery {
  stored_ = 0;
  failed_ = 0;

  stored(): void {
    this.stored_ += 1;
  }

  failed(): void {
    this.failed_ += 1;
  }
}

async function publish(publisher: Publisher, count: number, bytes: number): Promise<Count> {
  const outcome = new Count();
  // A hundred different values: one alone would live in the processor's cache.
  const messages: OutgoingMessage[] = Array.from({ length: 100 }, (_, index) => ({
    value: randomBytes(bytes),
    key: `partition-key-${index}`,
    eventTime: 1_700_000_000_000 + index,
    properties: {
      "kinesis.arrival.timestamp": "1700000000000",
      "kinesis.encryption.type": "NONE",
      "kinesis.partition.key": `partition-key-${index}`,
      "kinesis.sequence.number": `4954498589532768542${index}`,
    },
  }));
  for (let index = 0; index < count; index += 1) {
    if (publisher.full) await publisher.room(never);
    const message = messages[index % messages.length];
    if (message !== undefined) publisher.send(message, outcome);
  }
  await publisher.flush(never);
  return outcome;
}

async function main(): Promise<void> {
  const count = Number(values.messages);
  const bytes = Number(values.bytes);
  const host = { clock: systemClock, logger: silentLogger, meter: silentMeter };
  const tls = { allowInsecure: false, hostnameVerification: true };
  await using transport = createWireTransport({ serviceUrl: values.url, tls }, host);
  const publisher = await transport.open(
    values.topic,
    {
      ...defaultPublisherOptions,
      compression: values.compression as Compression, // refused by the publisher if it is none
      batching: values["no-batching"] ? undefined : defaultPublisherOptions.batching,
      maxPendingMessages: Number(values.pending),
    },
    never,
  );
  // The first tenth is for the compiler.
  await publish(publisher, Math.ceil(count / 10), bytes);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const outcome = await publish(publisher, count, bytes);
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const result = {
    client: "wire",
    messages: outcome.stored_,
    failed: outcome.failed_,
    bytes,
    compression: values.compression,
    batching: !values["no-batching"],
    cpuMicrosPerMessage: Number(((user + system) / count).toFixed(2)),
    messagesPerSecond: Math.round(count / seconds),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1_024),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await main();
