import { describeTrouble } from "../observe/health.ts";
import type { SourceStatus } from "../observe/source-status.ts";
import { duration } from "./progress.ts";
import { formatTable, printable } from "./text-table.ts";

type Instance = SourceStatus["instances"][number];
type Partition = Instance["details"]["partitions"][number];

const instanceHeadings = ["INSTANCE", "STATE", "READ", "WRITTEN", "IN FLIGHT", "LAG", "RESTARTS", "FAILURES"];
const partitionHeadings = ["PARTITION", "OWNER", "ACTIVITY", "LAG", "PER SECOND", "CHECKPOINT AGE"];

/** A source's status as people read it. `?` is not known, `-` is nothing. */
export function formatStatus(status: SourceStatus): string {
  const { source, instances } = status;
  const head = [
    `${source.tenant}/${source.namespace}/${source.name}: ${status.numRunning} of ${status.numInstances} running`,
    `${source.connector} -> ${source.topic}, ${source.processingGuarantees}`,
    `pulsar-ts-io ${source.version}, up ${duration(status.time - source.startTime)}`,
  ];
  const partitions = instances.flatMap(({ details }) => details.partitions);
  const parts = [
    `${head.map(printable).join("\n")}\n`,
    formatTable(instanceHeadings, instances.map(instanceCells)),
    ...(partitions.length === 0 ? [] : [formatTable(partitionHeadings, partitions.map(partitionCells))]),
    ...instances.flatMap((instance) => troubles(instance, status.time)),
  ];
  return parts.join("\n");
}

function instanceCells({ instanceId, status, details }: Instance): readonly string[] {
  return [
    String(instanceId),
    details.stalled === undefined ? details.state : "stalled",
    String(status.numReceivedFromSource),
    String(status.numWritten),
    String(details.inFlight),
    known(details.lagMs),
    String(status.numRestarts),
    String(status.numSystemExceptions),
  ];
}

function partitionCells(partition: Partition): readonly string[] {
  const { id, owner, activity, finished, lagMs, recordsPerSecond, checkpointAgeMs } = partition;
  return [
    printable(id),
    printable(owner ?? "-"),
    finished === true ? "finished" : printable(activity ?? "-"),
    known(lagMs),
    recordsPerSecond === undefined ? "?" : recordsPerSecond.toFixed(recordsPerSecond < 10 ? 1 : 0),
    known(checkpointAgeMs),
  ];
}

function known(ms: number | undefined): string {
  return ms === undefined ? "?" : duration(ms);
}

/** Why an instance does not run or nothing moves, what fails and is retried, and its last failures. */
function troubles({ instanceId, status, details }: Instance, nowMs: number): readonly string[] {
  const reason = details.stalled ?? status.error;
  const failing = details.troubles.flatMap((trouble) => [
    `  ${describeTrouble(trouble, nowMs)}${trouble.code === undefined ? "" : ` [${trouble.code}]`}`,
    ...(trouble.remedy === undefined ? [] : [`    ${trouble.remedy}`]),
  ]);
  const failures = status.latestSystemExceptions.map(
    ({ timestampMs, exceptionString }) => `  ${new Date(timestampMs).toISOString()} ${exceptionString}`,
  );
  if (reason === "" && failing.length === 0 && failures.length === 0) return [];
  const lines = [`instance ${instanceId}${reason === "" ? "" : `: ${reason}`}`, ...failing, ...failures];
  return [`${lines.map(printable).join("\n")}\n`];
}
