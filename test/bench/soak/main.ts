import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PulsarAdmin, startPulsar } from "@pulsar-ts-io/testkit";
import { TcpProxy } from "../../harness/tcp-proxy.ts";
import { uniqueName } from "../../stack.ts";
import { runBenchmark } from "../benchmark.ts";
import type { Measurement } from "../document.ts";
import { underLoad } from "../load.ts";
import { SoakArrivals } from "./soak-arrivals.ts";
import { readSoakOptions, type SoakOptions, usage } from "./soak-options.ts";
import {
  faults,
  minuteLine,
  type SoakReport,
  type SoakValue,
  soakReport,
  soakRound,
  table,
} from "./soak-report.ts";
import type { SoakEnd, SoakLine, SoakMinute, SoakWork } from "./soak-work.ts";

const listenerName = "proxied";

await runBenchmark({ benchmark: "soak", usage, readOptions: readSoakOptions, measure, table, faults });

async function measure(soak: SoakOptions): Promise<Measurement<SoakValue>> {
  const { load, result: details } = await underLoad(() => run(soak));
  return { rounds: [soakRound(details, load)], details };
}

async function run(soak: SoakOptions): Promise<SoakReport> {
  const { minutes, rate, sizeBytes: bytes, partitions, resetSeconds } = soak;
  await using proxy = await TcpProxy.start();
  await using broker = await startPulsar({
    report,
    deduplication: true,
    listeners: { [listenerName]: proxy.port },
  });
  proxy.target = Number(new URL(broker.serviceUrl).port);
  const topic = `persistent://public/default/${uniqueName("soak")}`;
  const admin = new PulsarAdmin(broker.adminUrl);
  // The reader has no subscription: what it has not read yet could be trimmed when a ledger is closed.
  const forEver = { retentionTimeInMinutes: -1, retentionSizeInMB: -1 };
  await admin.request("POST", "namespaces/public/default/retention", forEver);
  await admin.createPartitionedTopic(topic, partitions);
  await using arrivals = new SoakArrivals(broker.serviceUrl, topic, rate * minutes * 60);

  let resets = 0;
  let connectionsBroken = 0;
  const resetting = setInterval(() => {
    connectionsBroken += proxy.reset();
    resets += 1;
  }, resetSeconds * 1_000);
  const url = `pulsar://127.0.0.1:${proxy.port}`;
  const work = { url, listenerName, topic, rate, bytes, minutes };
  const published = await publish(work).finally(() => clearInterval(resetting));
  const reader = await arrivals.settled();
  return soakReport({ ...published, resets, connectionsBroken, reader });
}

/** Runs the publishing process to its end. */
async function publish(
  work: SoakWork,
): Promise<{ readonly minutes: readonly SoakMinute[]; readonly publisher: SoakEnd }> {
  const program = fileURLToPath(new URL("publisher.ts", import.meta.url));
  const source = ["--import", "tsx", "--conditions=@pulsar-ts-io/source"];
  const child = spawn(process.execPath, [...source, program, JSON.stringify(work)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const minutes: SoakMinute[] = [];
  let end: SoakEnd | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as SoakLine; // as soak-work.ts says
    if (line.kind === "end") {
      end = line;
      continue;
    }
    minutes.push(line);
    report(minuteLine(line));
  }
  await exited;
  if (end === undefined) throw new Error(`the publishing process ended with ${child.exitCode} too early`);
  return { minutes, publisher: end };
}

function report(line: string): void {
  process.stderr.write(`soak: ${line}\n`);
}
