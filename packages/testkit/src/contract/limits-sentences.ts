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

/** Of a value that may be anything, and of a line. */
const valueBytes = { any: 64 * 1024, text: 4 * 1024 };
/** A record is never less than that. */
const recordBytes = 64;
const firstLetter = 0x61;
const letters = 26;
/** So much more than the budget is there to be read. */
const excess = 1.5;
/** Looks at an unchanged number of records after which a source is full. */
const quietLooks = 200;

/** What a source keeps to itself: memory, and secrets. */
export const limitsSentences: readonly Sentence[] = [
  {
    says: "a slow publisher keeps memory under the budget",
    needs: ["producible"],
    async check(stage) {
      const { memoryBudgetBytes } = stage.settings;
      await bringTooMuch(stage, memoryBudgetBytes * excess);
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
      const sensitive = sensitiveSettings(stage.schema);
      assert.ok(
        sensitive.length === 0 || secrets.length > 0,
        `nothing secret is in the config of this suite: give a value to ${sensitive.join(" or ")}`,
      );
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

async function bringTooMuch<C>(stage: ContractStage<C>, bytes: number): Promise<void> {
  const { makes, capabilities } = stage.settings;
  if (makes !== undefined) {
    await stage.bring(Math.ceil(bytes / recordBytes));
    return;
  }
  const size = capabilities.anyBytes ? valueBytes.any : valueBytes.text;
  const value = (number: number) => new Uint8Array(size).fill(firstLetter + (number % letters));
  const count = Math.ceil(bytes / size);
  await stage.produce(
    Array.from({ length: count }, (_, number) => ({ key: `key-${number}`, value: value(number) })),
  );
}

/** A source that was stopped while it opened may say why it did not open. */
async function errorOfBrokenOpen<C>(stage: ContractStage<C>): Promise<string> {
  const stop = new AbortController();
  stop.abort(new Error("the contract suite stops before it opens"));
  const source = stage.newSource();
  try {
    await stage.within(source.open(stage.config(), stage.context(stop.signal)));
    return "";
  } catch (error) {
    return textOf(error);
  } finally {
    await stage.within(source.close());
  }
}

/** The values of sensitive settings, and the texts inside them. */
function sensitiveTexts(schema: JsonSchema, config: Readonly<Record<string, unknown>>): readonly string[] {
  return sensitiveSettings(schema).flatMap((name) => textsIn(config[name]));
}

function sensitiveSettings(schema: JsonSchema): readonly string[] {
  return Object.entries(schema.properties ?? {})
    .filter(([, property]) => property["x-sensitive"] === true)
    .map(([name]) => name);
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

/** All that a log line or a status could show of a value, its errors and their causes included; texts as they are, not as JSON has them. */
function textOf(value: unknown): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  const show = (key: string, part: unknown): unknown => {
    texts.push(key);
    if (typeof part === "string") texts.push(part);
    if (typeof part === "bigint") return String(part);
    if (typeof part !== "object" || part === null) return part;
    if (seen.has(part)) return "seen";
    seen.add(part);
    if (!(part instanceof Error)) return part;
    const error = toError(part);
    return { ...error, message: error.message, stack: error.stack, cause: error.cause };
  };
  JSON.stringify({ value }, show);
  return texts.join("\n");
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
