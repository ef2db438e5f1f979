import { fileURLToPath } from "node:url";
import { openState } from "../state/open-state.ts";
import type { Attempt } from "../supervise/attempt.ts";
import { ChildAttempt } from "../supervise/child-attempt.ts";
import { type ForkChildOptions, forkChild } from "../supervise/fork-child.ts";
import { InstanceFleet } from "../supervise/instance-fleet.ts";
import { InstanceSupervisor } from "../supervise/instance-supervisor.ts";
import { type InstanceJob, openAttempt } from "./instance-job.ts";
import { measure } from "./measure.ts";
import type { TransportHost } from "./transport.ts";

/** The program that runs one instance for this one. */
const childEntry = fileURLToPath(new URL("../child.js", import.meta.url));

export interface FleetHost extends Omit<TransportHost, "meter" | "troubles"> {
  /** Takes whole lines of the instances' logs. */
  readonly write: (line: string) => void;
  readonly process: ForkChildOptions["process"];
  /** Takes the secrets out of a text. */
  readonly mask: (text: string) => string;
  readonly maxRestarts: number | undefined;
  readonly startTimeoutMs: number;
}

/**
 * Puts the instances of a source under supervision. Starts nothing yet.
 *
 * One runs in this process, several in one of their own each; one with a memory ceiling, too: only a new process gives memory back.
 */
export function openFleet(jobs: readonly InstanceJob[], host: FleetHost): InstanceFleet {
  const [first, ...others] = jobs;
  if (first === undefined) throw new RangeError("a source has at least one instance");
  const alone = others.length === 0 && first.limits.maxMemoryBytes === undefined;
  const open = alone ? openHere(first, host) : (job: InstanceJob) => openElsewhere(job, host);
  return new InstanceFleet(
    jobs.map((job) => supervise(job, open, host)),
    host.logger,
  );
}

type OpenAttempt = (job: InstanceJob, signal: AbortSignal) => Promise<Attempt>;

/** What it measures and remembers is one for all its starts: it goes on. */
function openHere({ measured, limits, state: place, instance }: InstanceJob, host: FleetHost): OpenAttempt {
  const measurements = measure(measured, host.clock, limits.maxMemoryBytes);
  const parts = { ...host, ...measurements, state: openState(place, instance) };
  return (job, signal) => openAttempt(job, parts, signal);
}

function supervise(
  job: InstanceJob,
  open: OpenAttempt,
  { clock, logger, maxRestarts, startTimeoutMs, mask }: FleetHost,
): InstanceSupervisor {
  return new InstanceSupervisor((signal) => open(job, signal), {
    instanceId: job.instance.instanceId,
    maxRestarts,
    startTimeoutMs,
    clock,
    logger: logger.child({ instanceId: job.instance.instanceId }),
    random: Math.random,
    mask,
  });
}

function openElsewhere(job: InstanceJob, { clock, logger, write, process }: FleetHost): Promise<Attempt> {
  const attempt = new ChildAttempt({
    launch: (listener) => forkChild({ entry: childEntry, write, process }, listener),
    job,
    drainTimeoutMs: job.instance.drainTimeoutMs,
    clock,
    logger: logger.child({ instanceId: job.instance.instanceId }),
  });
  return Promise.resolve(attempt);
}
