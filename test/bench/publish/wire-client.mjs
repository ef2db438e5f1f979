import { randomBytes } from "node:crypto";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { silentLogger, silentMeter, systemClock } from "@pulsar-ts-io/core";
import { createWireTransport, defaultPublisherOptions } from "@pulsar-ts-io/pulsar";

// Plain JavaScript on the compiled packages, as users run them: what compiles TypeScript would count as our memory.

/** @import { Delivery, OutgoingMessage, Publisher } from "@pulsar-ts-io/pulsar" */
/** @import { PublishAnswer, PublishWork } from "./work.ts" */

const never = new AbortController().signal;

/** @implements {Delivery} */
class Count {
  arrived = 0;
  refused = 0;

  stored() {
    this.arrived += 1;
  }

  failed() {
    this.refused += 1;
  }
}

/**
 * Learns how long a receipt took.
 *
 * @implements {Delivery}
 */
class Latency {
  #sentAt = performance.now();
  #latenciesMs;

  /** @param {number[]} latenciesMs */
  constructor(latenciesMs) {
    this.#latenciesMs = latenciesMs;
  }

  stored() {
    this.#latenciesMs.push(performance.now() - this.#sentAt);
  }

  failed() {}
}

/** @param {number} bytes @returns {readonly OutgoingMessage[]} */
function hundredMessages(bytes) {
  return Array.from({ length: 100 }, (_, index) => ({
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
}

/** @param {Publisher} publisher @param {readonly OutgoingMessage[]} messages @param {number} count */
async function publish(publisher, messages, count) {
  const outcome = new Count();
  for (let index = 0; index < count; index += 1) {
    if (publisher.full) await publisher.room(never);
    const message = messages[index % messages.length];
    if (message !== undefined) publisher.send(message, outcome);
  }
  await publisher.flush(never);
  return outcome;
}

/**
 * Sends what is due each millisecond or so, however late the timer is.
 *
 * @param {Publisher} publisher @param {readonly OutgoingMessage[]} messages @param {PublishWork} work
 */
async function pace(publisher, messages, { rate, paced }) {
  /** @type {number[]} */
  const latenciesMs = [];
  const start = performance.now();
  for (let sent = 0; sent < paced; await delay(1)) {
    const due = Math.min(paced, Math.floor(((performance.now() - start) * rate) / 1_000));
    for (; sent < due; sent += 1) {
      const message = messages[sent % messages.length];
      if (message !== undefined) publisher.send(message, new Latency(latenciesMs));
    }
  }
  await publisher.flush(never);
  return latenciesMs;
}

/** @param {PublishWork} work @returns {Promise<PublishAnswer>} */
async function main(work) {
  const host = { clock: systemClock, logger: silentLogger, meter: silentMeter };
  const tls = { allowInsecure: false, hostnameVerification: true };
  const transport = createWireTransport({ serviceUrl: work.url, tls }, host);
  const options = {
    ...defaultPublisherOptions,
    // Refused by the publisher if it is none.
    compression: work.compression,
    batching: work.batching ? defaultPublisherOptions.batching : undefined,
    maxPendingMessages: work.pending,
  };
  const publisher = await transport.open(work.topic, options, never);
  const messages = hundredMessages(work.bytes);
  await publish(publisher, messages, work.warmUp);
  const before = process.cpuUsage();
  const start = performance.now();
  const outcome = await publish(publisher, messages, work.messages);
  const wallSeconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const peakResidentBytes = process.resourceUsage().maxRSS * 1_024;
  const latenciesMs = await pace(publisher, messages, work);
  await transport.close();
  return {
    stored: outcome.arrived,
    cpuSeconds: (user + system) / 1e6,
    wallSeconds,
    peakResidentBytes,
    latenciesMs,
  };
}

const answer = await main(JSON.parse(process.argv[2] ?? "")); // the benchmark's own argument
process.stdout.write(`${JSON.stringify(answer)}\n`);
