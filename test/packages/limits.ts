import { startDynalite } from "@pulsar-ts-io/testkit";
import { DoubleProcess } from "../bench/double-process.ts";
import { loadedByStart } from "../bench/start/one-start.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import type { InstalledApp } from "./installed-app.ts";

/** What a user of the CLI has to download and to load. */
export interface Footprint {
  readonly packages: number;
  readonly installedBytes: number;
  /** Files of JavaScript until the first record from Kinesis is on standard output. */
  readonly modules: number;
  readonly moduleBytes: number;
}

/**
 * A little more than it was when this was written, so that growth is a decision: raise a limit in the change that needs it.
 */
const limits: Footprint = {
  packages: 14,
  installedBytes: 9_800_000,
  modules: 66,
  moduleBytes: 2_080_000,
};

/** The footprint of an application in which the CLI alone was installed. */
export async function measureFootprint(app: InstalledApp): Promise<Footprint> {
  const { packages, bytes: installedBytes } = await app.installed();
  await using kinesis = await DoubleProcess.start();
  await using dynamo = await startDynalite();
  await using stream = await KinesisStream.create(kinesis.endpoint, "footprint", 1);
  await stream.put([{ key: "a", data: Buffer.from("a record") }]);
  const endpoints = { kinesisEndpoint: kinesis.endpoint, dynamoEndpoint: dynamo.endpoint };
  const stage = { ...endpoints, stream, bin: app.bin };
  const { files, bytes: moduleBytes } = await loadedByStart(stage, "footprint");
  return { packages, installedBytes, modules: files.length, moduleBytes };
}

/** What is above its limit, a line each. */
export function excesses(found: Footprint): readonly string[] {
  const names = Object.keys(limits) as (keyof Footprint)[]; // of an object literal above
  return names
    .filter((name) => found[name] > limits[name])
    .map((name) => `${name}: ${found[name]}, at most ${limits[name]} are allowed`);
}
