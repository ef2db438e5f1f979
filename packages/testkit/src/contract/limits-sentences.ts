import assert from "node:assert/strict";
import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { JsonSchema } from "@pulsar-ts-io/config";
import { toError } from "@pulsar-ts-io/core";
import { ContractHost } from "./contract-host.ts";
import type { ContractStage } from "./contract-stage.ts";
import { numberedRecords } from "./numbered-records.ts";
import type { Sentence } from "./sentence.ts";

const valueBytes = 64 * 1024;
/** So much more than the budget is there to be read. */
const excess = 1.5;
/** Looks at an unchanged number of records after which a source is full. */
const quietLooks = 200;

/** What a source keeps to itself: memory, and secrets. */
export const limitsSentences: readonly Sentence[] = [
  {
    says: "a slow publisher keeps memory under the budget",
    needs: ["producible", "anyBytes"],
    async check(stage) {
      const { memoryBudgetBytes } = stage.settings;
      const count = Math.ceil((memoryBudgetBytes * excess) / valueBytes);
      const value = (number: number) => new Uint8Array(valueBytes).fill(number & 0xff);
      await stage.produce(
        Array.from({ length: count }, (_, number) => ({ key: `key-${number}`, value: value(number) })),
      );
      const before = liveBytes();
      stage.transport.hold();
      const host = await ContractHost.start(stage);
      for (let look = 0; look < quietLooks; look += 1) await stage.pass();
      const taken = liveBytes() - before;
      stage.transport.release();
      await host.kill();
      assert.ok(
        taken < memoryBudgetBytes,
        `${Math.round(taken / 1024)} kB were taken while nobody took records; the budget is ${memoryBudgetBytes / 1024} kB`,
      );
    },
  },
  {
    says: "no secret appears in any log, error or status",
    needs: [],
    async check(stage) {
      const secrets = [...stage.settings.secrets, ...sensitiveTexts(stage.schema, stage.written)];
      const said: string[] = [];
      for (const life of ["stopped", "killed"] as const) {
        if (stage.settings.capabilities.producible) await stage.produce(numberedRecords(3));
        const host = await ContractHost.start(stage);
        await stage.until(() => host.read.length > 0);
        said.push(textOf(host.source.status?.()));
        await (life === "stopped" ? host.stop() : host.kill());
        said.push(textOf(host.failure));
      }
      said.push(await errorOfBrokenOpen(stage));
      said.push(...stage.logger.lines.map(textOf));
      for (const secret of secrets) {
        const where = said.find((text) => text.includes(secret));
        const shown = where?.replaceAll(secret, "<the secret>").slice(0, 200);
        assert.equal(shown, undefined, "a secret was said");
      }
    },
  },
];

/** A source that was stopped while it opened may say why it did not open. */
async function errorOfBrokenOpen<C>(stage: ContractStage<C>): Promise<string> {
  const stop = new AbortController();
  stop.abort(new Error("the contract suite stops before it opens"));
  const source = stage.newSource();
  try {
    await stage.within(
      source.open(
        stage.config(),
        stage.context(stop.signal, () => undefined),
      ),
    );
    return "";
  } catch (error) {
    return textOf(error);
  } finally {
    await stage.within(source.close());
  }
}

/** The values of sensitive settings, and the texts inside them. */
function sensitiveTexts(schema: JsonSchema, config: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    property["x-sensitive"] === true ? textsIn(config[name]) : [],
  );
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return value.length < 3 ? [] : [value, ...textsIn(parsed(value))];
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(textsIn);
  return [];
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** All that a log line or a status could show of a value, its errors and their causes included. */
function textOf(value: unknown): string {
  if (value === undefined) return "";
  const seen = new Set<unknown>();
  const show = (_key: string, part: unknown): unknown => {
    if (typeof part === "bigint") return String(part);
    if (typeof part !== "object" || part === null) return part;
    if (seen.has(part)) return "seen";
    seen.add(part);
    if (!(part instanceof Error)) return part;
    const error = toError(part);
    return { ...error, message: error.message, stack: error.stack, cause: error.cause };
  };
  return JSON.stringify(value, show) ?? "";
}

/** What is in use once the garbage is gone. */
function liveBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  collect();
  const { heapUsed, external } = memoryUsage();
  return heapUsed + external;
}
