import type { ConfigProblem } from "@pulsar-ts-io/config";
import type { RequestedSource } from "./requested-source.ts";

/** The flags that say which instances of a source run here. */
export interface InstanceFlags {
  /** Absent: all of them. */
  readonly instanceId?: number | undefined;
  /** The number of the first of them; default 0. Java's LocalRunner has it. */
  readonly instanceIdOffset?: number | undefined;
}

/** What decides the numbers of instances besides flags: the SourceConfig, and the connector. */
export type NumberedSource = {
  readonly settings: Pick<RequestedSource["settings"], "parallelism">;
  readonly connector: {
    readonly manifest: Pick<RequestedSource["connector"]["manifest"], "name" | "sharding">;
  };
};

/** Which instances run here, and how many there are on all machines together. */
export interface InstanceNumbers {
  readonly ids: readonly number[];
  /** The count that every instance sees as `numInstances`. A lower bound where nobody gave it, and nobody needs it. */
  readonly count: number;
}

/** The numbers of the instances that run here. They are of use only if there are no {@link instanceNumberProblems}. */
export function instanceNumbers(
  { settings: { parallelism } }: NumberedSource,
  { instanceId, instanceIdOffset = 0 }: InstanceFlags,
): InstanceNumbers {
  if (instanceId !== undefined) return { ids: [instanceId], count: parallelism ?? instanceId + 1 };
  const here = parallelism ?? 1;
  const ids = Array.from({ length: here }, (_, index) => instanceIdOffset + index);
  return { ids, count: instanceIdOffset + here };
}

/** Why the numbers cannot be right: two instances would do the same work, or nobody would do some of it. */
export function instanceNumberProblems(
  { settings: { parallelism }, connector: { manifest } }: NumberedSource,
  { instanceId, instanceIdOffset = 0 }: InstanceFlags,
): readonly ConfigProblem[] {
  const byNumber = manifest.sharding === "by-number";
  if (instanceId !== undefined && instanceIdOffset > 0) {
    return [
      { path: "--instance-id", message: "excludes --instance-id-offset", remedy: "give one of the two" },
    ];
  }
  if (instanceId !== undefined && parallelism === undefined)
    return byNumber ? [countMissing(manifest.name)] : [];
  if (instanceId !== undefined && parallelism !== undefined && instanceId >= parallelism) {
    return [outOfRange(instanceId, parallelism)];
  }
  return byNumber && instanceIdOffset > 0 ? [countUnknown(manifest.name)] : [];
}

function countMissing(connector: string): ConfigProblem {
  return {
    path: "parallelism",
    message: `instances of the connector ${connector} divide the work by their numbers, and --instance-id alone does not say how many there are`,
    remedy:
      "set --parallelism, PULSAR_TS_IO_PARALLELISM or parallelism in the SourceConfig to the number of instances on all machines together, the same for each of them",
  };
}

function outOfRange(instanceId: number, parallelism: number): ConfigProblem {
  return {
    path: "--instance-id",
    value: String(instanceId),
    message: `must be below parallelism, which is ${parallelism}`,
    remedy: `number the instances 0 to ${parallelism - 1}, or raise parallelism for all of them`,
  };
}

function countUnknown(connector: string): ConfigProblem {
  return {
    path: "--instance-id-offset",
    message: `instances of the connector ${connector} divide the work by their numbers, and an offset does not say how many there are on all machines together`,
    remedy: "start each instance with --instance-id and the --parallelism of all of them together",
  };
}
