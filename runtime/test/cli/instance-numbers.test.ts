import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type InstanceFlags,
  instanceNumberProblems,
  instanceNumbers,
  type NumberedSource,
} from "../../src/cli/instance-numbers.ts";
import { cli, loadingTime } from "../support/fake-process.ts";

const counts = [undefined, 1, 2, 3, 7];
const ids = [undefined, 0, 1, 2, 6, 7];
const offsets = [undefined, 0, 2];

function source(sharding: "by-number" | undefined, parallelism: number | undefined): NumberedSource {
  return { settings: { parallelism }, connector: { manifest: { name: "mine", sharding } } };
}

const combinations = (["by-number", undefined] as const).flatMap((sharding) =>
  counts.flatMap((parallelism) =>
    ids.flatMap((instanceId) =>
      offsets.map((instanceIdOffset) => ({ sharding, parallelism, instanceId, instanceIdOffset })),
    ),
  ),
);

function accepted(named: NumberedSource, flags: InstanceFlags): boolean {
  return instanceNumberProblems(named, flags).length === 0;
}

describe("instanceNumbers", () => {
  it("gives every accepted instance a number below the count", () => {
    for (const { sharding, parallelism, ...flags } of combinations) {
      const named = source(sharding, parallelism);
      if (!accepted(named, flags)) continue;
      const { ids: here, count } = instanceNumbers(named, flags);
      expect({ here, inRange: here.every((id) => id >= 0 && id < count) }).toEqual({ here, inRange: true });
    }
  });

  it("gives a connector that shares by number the count that was configured, and no other", () => {
    for (const { sharding, parallelism, ...flags } of combinations) {
      const named = source(sharding, parallelism);
      if (sharding === undefined || !accepted(named, flags)) continue;
      expect(instanceNumbers(named, flags).count).toBe(parallelism ?? 1);
    }
  });

  it.each([1, 2, 3, 7])(
    "numbers %d instances alike, in one process and in a process for each",
    (parallelism) => {
      const named = source("by-number", parallelism);
      const together = instanceNumbers(named, {});
      const apart = together.ids.map((instanceId) => instanceNumbers(named, { instanceId }));
      expect(apart.flatMap((numbers) => numbers.ids)).toEqual(together.ids);
      expect(new Set(apart.map(({ count }) => count))).toEqual(new Set([together.count]));
      expect(accepted(named, { instanceId: parallelism })).toBe(false);
    },
  );

  it.each([0, 1, 5])(
    "refuses instance %d without a count where the connector needs the count",
    (instanceId) => {
      expect(accepted(source("by-number", undefined), { instanceId })).toBe(false);
      expect(accepted(source(undefined, undefined), { instanceId })).toBe(true);
    },
  );

  it("refuses an instance id together with an offset", () => {
    expect(accepted(source(undefined, 9), { instanceId: 3, instanceIdOffset: 2 })).toBe(false);
  });
});

const places = ["flag", "environment", "file"] as const;

/** A dry run of the data generator, of which each number stands in one of the places. */
async function dryRun(
  parallelism: { readonly count: number; readonly place: (typeof places)[number] } | undefined,
  instanceId: { readonly id: number; readonly place: "flag" | "environment" } | undefined,
): Promise<{ readonly code: number | undefined; readonly stderr: string }> {
  const directory = mkdtempSync(join(tmpdir(), "instance-numbers-"));
  const file = join(directory, "source.json");
  const inFile = parallelism?.place === "file" ? { parallelism: parallelism.count } : {};
  writeFileSync(file, JSON.stringify({ sourceType: "data-generator", configs: {}, ...inFile }));
  const args = ["run", "--source-config-file", file, "--dry-run", "1"];
  if (parallelism?.place === "flag") args.push("--parallelism", String(parallelism.count));
  if (instanceId?.place === "flag") args.push("--instance-id", String(instanceId.id));
  const env = {
    ...(parallelism?.place === "environment" ? { PULSAR_TS_IO_PARALLELISM: String(parallelism.count) } : {}),
    ...(instanceId?.place === "environment" ? { PULSAR_TS_IO_INSTANCE_ID: String(instanceId.id) } : {}),
  };
  return await cli(args, { env });
}

describe("instance numbers of a run", loadingTime, () => {
  const written = places.flatMap((place) =>
    (["flag", "environment"] as const).flatMap((idPlace) =>
      [0, 1, 2, 3].map((id) => ({ place, idPlace, id, code: id < 2 ? 0 : 2 })),
    ),
  );

  it.each(written)(
    "are judged alike wherever they stand: parallelism 2 by $place, instance $id by $idPlace ends with $code",
    async ({ place, idPlace, id, code }) => {
      const outcome = await dryRun({ count: 2, place }, { id, place: idPlace });
      expect(outcome.code).toBe(code);
      if (code === 2) expect(outcome.stderr).toContain("must be below parallelism, which is 2");
    },
  );

  it.each(["flag", "environment"] as const)(
    "need the count for the data generator when the instance id comes from the %s",
    async (place) => {
      const outcome = await dryRun(undefined, { id: 1, place });
      expect(outcome.code).toBe(2);
      expect(outcome.stderr).toContain("set --parallelism, PULSAR_TS_IO_PARALLELISM or parallelism");
    },
  );
});
