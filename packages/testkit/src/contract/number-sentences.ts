import assert from "node:assert/strict";
import type { SourceRecord } from "@pulsar-ts-io/core";
import { ContractHost } from "./contract-host.ts";
import type { ContractStage } from "./contract-stage.ts";
import { missing, numberedRecords, some, textOf } from "./numbered-records.ts";
import type { Sentence } from "./sentence.ts";
import { strongestGuarantee } from "./strongest-guarantee.ts";

const someRecords = 30;
const instances = 3;
/** Looks after everything was read, in which a record could be read a second time. */
const furtherPasses = 50;

/** What the numbers of records and of instances mean beyond one source and one instance. */
export const numberSentences: readonly Sentence[] = [
  {
    says: "a partition id and a number mean one record, also in a source with another config",
    needs: [],
    async check(stage) {
      await using other = await stage.another();
      const records = await readNumbered(stage, "record");
      const others = await readNumbered(other, "other");
      const textOfNumber = new Map(records.map((record) => [numberOf(record), textOf(record)]));
      for (const record of others) {
        const text = textOfNumber.get(numberOf(record)) ?? textOf(record);
        const lost = "with effectively once one of the two would be lost";
        assert.equal(textOf(record), text, `${numberOf(record)} means two records: ${lost}`);
      }
      if (stage.files.manifest.partitionIds !== "global" || !stage.hasOwnPlace) return;
      const ids = new Set(records.map(({ partitionId }) => partitionId));
      const shared = others.find(({ partitionId }) => ids.has(partitionId));
      assert.equal(
        shared?.partitionId,
        undefined,
        "two sources have the same partition id, and the manifest says partitionIds: global",
      );
    },
  },
  {
    says: "instances divide the records by number if the manifest says so, and only then",
    needs: ["producible"],
    async check(stage) {
      if (stage.files.manifest.sharding === "by-number") await readTogether(stage);
      else {
        await readAlone(stage, 0);
        await using other = await stage.another();
        await readAlone(other, 1);
      }
    },
  },
];

/** The numbered ones of the records that a source reads with the strongest guarantee that it opens with. */
async function readNumbered<C>(stage: ContractStage<C>, word: string): Promise<readonly SourceRecord[]> {
  stage.guarantee = await strongestGuarantee(stage);
  if (stage.settings.makes !== undefined) await stage.bring(someRecords);
  else if (stage.settings.capabilities.producible) await stage.produce(numberedRecords(someRecords, word));
  const host = await ContractHost.start(stage);
  await stage.until(() => host.read.length >= someRecords);
  await host.stop();
  assert.ok(host.read.length >= someRecords, `read ${host.read.length} of ${someRecords} records`);
  return host.read.filter(
    ({ partitionId, recordSequence }) => partitionId !== undefined && recordSequence !== undefined,
  );
}

function numberOf({ partitionId, recordSequence }: SourceRecord): string {
  return `number ${recordSequence} of ${partitionId}`;
}

/** All instances side by side read everything, and nothing twice. */
async function readTogether<C>(stage: ContractStage<C>): Promise<void> {
  const produced = await stage.bring(someRecords);
  const hosts: ContractHost<C>[] = [];
  for (let instanceId = 0; instanceId < instances; instanceId += 1) {
    hosts.push(await ContractHost.start(stage, { instanceId, numInstances: instances }));
  }
  await stage.until(() => missing(produced, stage.stored()).length === 0);
  for (let pass = 0; pass < furtherPasses; pass += 1) await stage.pass();
  for (const host of hosts) await host.stop();
  const texts = stage.stored().map(textOf);
  const twice = texts.filter((text, index) => texts.indexOf(text) !== index);
  assert.deepEqual(twice, [], `read by two of ${instances} instances: ${some(twice)}`);
  const unread = missing(produced, stage.stored());
  assert.deepEqual(unread, [], `read by none of ${instances} instances: ${some(unread)}`);
}

/** One of two instances, while the other one is not there, reads everything. */
async function readAlone<C>(stage: ContractStage<C>, instanceId: number): Promise<void> {
  const produced = await stage.bring(someRecords);
  const host = await ContractHost.start(stage, { instanceId, numInstances: 2 });
  await stage.until(() => missing(produced, stage.stored()).length === 0);
  await host.stop();
  const unread = missing(produced, stage.stored());
  const remedy = "add sharding: by-number to the manifest if instances divide the records by number";
  assert.deepEqual(unread, [], `instance ${instanceId} of 2 does not read ${some(unread)}; ${remedy}`);
}
