import process from "node:process";
import { type Guarantee, silentLogger, silentMeter, systemClock, TroubleLog } from "@pulsar-ts-io/core";
import { defaultPublisherOptions } from "@pulsar-ts-io/pulsar";
import { Instance, openState } from "pulsar-ts-io";
import { runBenchmark } from "../benchmark.ts";
import type { BenchRound, Measurement } from "../document.ts";
import { underLoad } from "../load.ts";
import { type LoopBenchOptions, readLoopOptions, usage } from "./loop-options.ts";
import { excesses, type LoopValue, table } from "./loop-report.ts";
import { LoopSource } from "./loop-source.ts";
import { LoopTransport } from "./loop-transport.ts";

await runBenchmark({
  benchmark: "loop",
  usage,
  readOptions: readLoopOptions,
  measure,
  table,
  faults: (document, { check }) => (check ? excesses(document) : []),
});

async function measure(bench: LoopBenchOptions): Promise<Measurement<LoopValue>> {
  const rounds: BenchRound<LoopValue>[] = [];
  await runRound(bench.records); // for the compilers
  for (let number = 1; number <= bench.rounds; number += 1) {
    const { load, result: values } = await underLoad(() => runRound(bench.records));
    rounds.push({ loads: { loop: load }, values });
  }
  return { rounds };
}

async function runRound(records: number): Promise<Record<LoopValue, number>> {
  return {
    ATLEAST_ONCE: await microsOf(records, "ATLEAST_ONCE"),
    EFFECTIVELY_ONCE: await microsOf(records, "EFFECTIVELY_ONCE"),
  };
}

/** CPU time of the whole process: garbage and compilers are a part of the price. */
async function microsOf(records: number, guarantee: Guarantee): Promise<number> {
  const before = process.cpuUsage();
  const acknowledged = await runInstance(records, guarantee);
  const { user, system } = process.cpuUsage(before);
  if (acknowledged !== records)
    throw new Error(`the round is void: ${acknowledged} of ${records} acknowledged`);
  return (user + system) / records;
}

async function runInstance(records: number, guarantee: Guarantee): Promise<number> {
  const stop = new AbortController();
  const source = new LoopSource(records, () => stop.abort());
  const instance = new Instance(source, new LoopTransport(), {
    tenant: "public",
    namespace: "default",
    name: "loop",
    instanceId: 0,
    numInstances: 1,
    topic: "persistent://public/default/loop",
    guarantee,
    publisher: defaultPublisherOptions,
    onRefused: { kind: "fail" },
    secrets: new Map(),
    state: openState({ kind: "none" }, { tenant: "public", namespace: "default", name: "loop" }),
    drainTimeoutMs: 30_000,
    clock: systemClock,
    logger: silentLogger,
    meter: silentMeter,
    troubles: new TroubleLog({ clock: systemClock, logger: silentLogger }),
  });
  await instance.run(undefined, stop.signal);
  return source.acknowledged;
}
