import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PulsarAdmin, startPulsar } from "@pulsar-ts-io/testkit";
import { uniqueName } from "../../stack.ts";
import { ResetProxy } from "./reset-proxy.ts";
import { SoakArrivals } from "./soak-arrivals.ts";
import { readSoakOptions, type SoakOptions, usage } from "./soak-options.ts";
import { faults, minuteLine, type SoakReport, soakReport, table } from "./soak-report.ts";
import type { SoakEnd, SoakLine, SoakMinute, SoakWork } from "./soak-work.ts";

const listenerName = "proxied";

const options = readOptions();
if (options !== undefined) await run(options).catch(fail);

async function run(soak: SoakOptions): Promise<void> {
  const result = await measure(soak);
  const json = `${JSON.stringify(result, null, 2)}\n`;
  if (soak.outFile !== undefined) await writeFile(soak.outFile, json);
  process.stdout.write(soak.json ? json : table(result));
  for (const line of faults(result)) fail(line);
}

function fail(error: unknown): void {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

function readOptions(): SoakOptions | undefined {
  try {
    const read = readSoakOptions(process.argv.slice(2));
    if (read === undefined) process.stdout.write(usage);
    return read;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function measure(soak: SoakOptions): Promise<SoakReport> {
  const { minutes, rate, sizeBytes: bytes, partitions, resetSeconds } = soak;
  await using proxy = await ResetProxy.start();
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
  const resetting = setInterval(() => {
    proxy.reset();
    resets += 1;
  }, resetSeconds * 1_000);
  const url = `pulsar://127.0.0.1:${proxy.port}`;
  const work = { url, listenerName, topic, rate, bytes, minutes };
  const published = await publish(work).finally(() => clearInterval(resetting));
  const reader = await arrivals.settled();
  return soakReport(soak, { ...published, resets, connectionsBroken: proxy.broken, reader });
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
