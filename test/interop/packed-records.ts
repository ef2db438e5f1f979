import { readFileSync } from "node:fs";
import type { PutRecord } from "../harness/kinesis-stream.ts";
import type { Crossing } from "./crossing.ts";
import type { Sighting } from "./sighting.ts";

/** A user record: what each worker must hand out, whichever it is. */
export type UserRecord = Pick<Sighting, "sequenceNumber" | "subSequenceNumber" | "data">;

interface Aggregate {
  readonly name: string;
  readonly data: string;
  /** What KCL makes of it. */
  readonly java: readonly { readonly sub: number; readonly data: string }[];
}

const source = new URL("../../packages/kinesis-consumer/test/golden/kpl-aggregates.jsonl", import.meta.url);
/** Made by the aggregators of PyPI and npm. */
const names = [
  "two hundred records of seven keys",
  "three records placed by their partition keys",
  "three records with explicit hash keys",
  "two hundred records of seven keys",
];

/** Puts aggregates, each behind a record that is none. @returns the user records in order. */
export async function putPacked(crossing: Crossing): Promise<readonly UserRecord[]> {
  const aggregates = readFileSync(source, "utf8")
    .trim()
    .split("\n")
    .map((line): Aggregate => JSON.parse(line));
  const puts: PutRecord[] = [];
  const parts: Aggregate["java"][] = [];
  for (const wanted of names) {
    const aggregate = aggregates.find(({ name }) => name === wanted);
    if (aggregate === undefined) throw new Error(`no aggregate of ${wanted}`);
    const plain = Buffer.from(`before ${wanted}`).toString("base64");
    for (const [data, java] of [
      [plain, [{ sub: 0, data: plain }]],
      [aggregate.data, aggregate.java],
    ] as const) {
      puts.push({ key: "outer", data: Buffer.from(data, "base64") });
      parts.push(java);
    }
  }
  const stored = await crossing.putRecords(puts);
  return stored.flatMap(({ sequenceNumber }, index) =>
    (parts[index] ?? []).map(({ sub, data }) => ({ sequenceNumber, subSequenceNumber: sub, data })),
  );
}

/** Only what is told of user records. */
export function userRecords(sightings: readonly Sighting[]): readonly UserRecord[] {
  return sightings.map(({ sequenceNumber, subSequenceNumber, data }) => {
    return { sequenceNumber, subSequenceNumber, data };
  });
}
