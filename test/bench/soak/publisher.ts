import { readdir } from "node:fs/promises";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectorError, silentLogger, silentMeter, systemClock } from "@pulsar-ts-io/core";
import {
  createWireTransport,
  type Delivery,
  defaultPublisherOptions,
  type MessageId,
  type Publisher,
} from "@pulsar-ts-io/pulsar";
import { figure } from "../figure.ts";
import { keyOf, type SoakLine, type SoakWork } from "./soak-work.ts";

const never = new AbortController().signal;

class Outcome implements Delivery {
  storedCount = 0;
  storedBefore = 0;
  failedCount = 0;
  failure: string | undefined;

  stored(id: MessageId | undefined): void {
    this.storedCount += 1;
    if (id === undefined) this.storedBefore += 1;
  }

  failed(error: ConnectorError): void {
    this.failedCount += 1;
    this.failure ??= `${error.code}: ${error.message}`;
  }
}

/** What the process holds, looked at once a second. */
class Holdings {
  #resident: number[] = [];
  #descriptors: number[] = [];
  #handles: number[] = [];

  async look(): Promise<void> {
    this.#resident.push(process.memoryUsage.rss());
    this.#handles.push(process.getActiveResourcesInfo().length);
    this.#descriptors.push((await readdir("/proc/self/fd")).length);
  }

  /** Of the looks since the last time. */
  medians(): { readonly residentBytes: number; readonly descriptors: number; readonly handles: number } {
    const medians = {
      residentBytes: median(this.#resident),
      descriptors: median(this.#descriptors),
      handles: median(this.#handles),
    };
    this.#resident = [];
    this.#descriptors = [];
    this.#handles = [];
    return medians;
  }
}

function median(values: readonly number[]): number {
  return figure(values)?.median ?? 0;
}

/** Sends what is due each five milliseconds or so; what a full window has held up is sent as soon as there is room. */
async function pace(
  publisher: Publisher,
  outcome: Outcome,
  { rate, bytes, minutes }: SoakWork,
): Promise<number> {
  const holdings = new Holdings();
  const all = rate * minutes * 60;
  const start = performance.now();
  let second = 0;
  for (let sent = 0; sent < all; await delay(5)) {
    const elapsedMs = performance.now() - start;
    const due = Math.min(all, Math.floor((elapsedMs * rate) / 1_000));
    for (; sent < due; sent += 1) {
      if (publisher.full) await publisher.room(never);
      publisher.send({ key: keyOf(sent), value: numbered(sent, bytes) }, outcome);
    }
    if (elapsedMs < (second + 1) * 1_000) continue;
    second += 1;
    await holdings.look();
    if (second % 60 === 0) print({ kind: "minute", minute: second / 60, sent, ...holdings.medians() });
  }
  await publisher.flush(never);
  return all;
}

function numbered(number: number, bytes: number): Buffer {
  const value = Buffer.alloc(bytes, "soak ");
  value.writeBigUInt64BE(BigInt(number));
  return value;
}

function print(line: SoakLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(work: SoakWork): Promise<void> {
  const host = { clock: systemClock, logger: silentLogger, meter: silentMeter };
  const tls = { allowInsecure: false, hostnameVerification: true };
  const { url: serviceUrl, listenerName } = work;
  await using transport = createWireTransport({ serviceUrl, listenerName, tls }, host);
  const publisher = await transport.open(work.topic, defaultPublisherOptions, never);
  const outcome = new Outcome();
  const sent = await pace(publisher, outcome, work);
  const { storedCount: stored, storedBefore, failedCount: failed, failure } = outcome;
  print({ kind: "end", sent, stored, storedBefore, failed, failure });
}

await main(JSON.parse(process.argv[2] ?? "") as SoakWork); // the benchmark's own argument
