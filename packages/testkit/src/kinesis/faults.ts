import { ServiceError, type ServiceErrorName } from "./service-error.ts";

/**
 * What goes wrong: with a call, or with one event of a subscription, which is asked for as operation `SubscribeToShardEvent`.
 */
export type FaultEffect =
  /** An answer that says no; nothing is done. An event: the subscription ends with that exception. */
  | { readonly kind: "refuse"; readonly error: ServiceErrorName; readonly message?: string | undefined }
  /** The connection is reset; nothing is done. */
  | { readonly kind: "reset" }
  /** It is done, and the connection is reset before anything is answered. */
  | { readonly kind: "lose-answer" }
  /** It is done, and the connection is reset in the middle of the answer. */
  | { readonly kind: "cut-answer" }
  /** It is done, and the answer cannot be read; an event has one wrong bit, so that its checksum tells. */
  | { readonly kind: "corrupt" }
  /** Ends in good order without an answer. A subscription ends like one that is five minutes old, between two events. */
  | { readonly kind: "hang-up" }
  /** It is done, and the connection takes no more calls: GOAWAY, or `Connection: close`, which is too late for an event. */
  | { readonly kind: "goaway" }
  /** Nothing is done and nothing is ever answered; the connection stays open. */
  | { readonly kind: "silence" }
  /** Silence for everything on the connection from now on. Differs over HTTP/2 only, where calls share it. */
  | { readonly kind: "half-open" }
  /** It is done after a while. */
  | { readonly kind: "delay"; readonly ms: number };

export interface FaultRule {
  /** Such as `GetRecords`; `*` for all calls; `SubscribeToShardEvent` for the events of subscriptions. */
  readonly operation: string;
  readonly streamName?: string | undefined;
  readonly shardId?: string | undefined;
  /** How many calls that it fits it lets pass before it begins; default 0. */
  readonly skip?: number | undefined;
  /** How many calls it hits before it is used up; default 1, `Infinity` for all. */
  readonly count?: number | undefined;
  /** How likely it hits a call that it fits, 0 to 1; default 1. */
  readonly probability?: number | undefined;
  readonly effect: FaultEffect;
}

/** A rule in force. */
export interface Fault {
  /** Calls it has hit. */
  readonly hits: number;
  /** Ends it. */
  lift(): void;
}

/** The operation of a rule about single events. */
export const eventOperation = "SubscribeToShardEvent";

/** What a call is about. */
export interface CallTarget {
  readonly operation: string;
  readonly streamName: string | undefined;
  readonly shardId: string | undefined;
}

export type FaultScope = Pick<FaultRule, "streamName" | "shardId" | "skip" | "count" | "probability">;

interface ActiveFault {
  readonly rule: FaultRule;
  passed: number;
  hits: number;
}

/** Faults on demand. Of the rules that fit a call the oldest one hits. */
export class KinesisFaults {
  readonly #random: () => number;
  #active: readonly ActiveFault[] = [];

  /** @param random in [0, 1), for rules with a probability; hand in a seeded one to repeat a run. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  add(rule: FaultRule): Fault {
    const fault: ActiveFault = { rule, passed: 0, hits: 0 };
    this.#active = [...this.#active, fault];
    return {
      get hits() {
        return fault.hits;
      },
      lift: () => {
        this.#active = this.#active.filter((other) => other !== fault);
      },
    };
  }

  /** ProvisionedThroughputExceededException. */
  throttle(operation: string, scope: FaultScope = {}): Fault {
    return this.refuse(operation, "ProvisionedThroughputExceededException", scope);
  }

  /** AccessDeniedException, until lifted. */
  deny(operation: string, scope: FaultScope = {}): Fault {
    return this.refuse(operation, "AccessDeniedException", { count: Number.POSITIVE_INFINITY, ...scope });
  }

  refuse(operation: string, error: ServiceErrorName, scope: FaultScope = {}): Fault {
    return this.add({ ...scope, operation, effect: { kind: "refuse", error } });
  }

  reset(operation: string, scope: FaultScope = {}): Fault {
    return this.add({ ...scope, operation, effect: { kind: "reset" } });
  }

  silence(operation: string, scope: FaultScope = {}): Fault {
    return this.add({ ...scope, operation, effect: { kind: "silence" } });
  }

  delay(operation: string, ms: number, scope: FaultScope = {}): Fault {
    return this.add({ ...scope, operation, effect: { kind: "delay", ms } });
  }

  /** Ends all of them. */
  clear(): void {
    this.#active = [];
  }

  /** What happens to this call, if anything; a rule that is used up goes away. */
  strike(target: CallTarget): FaultEffect | undefined {
    for (const fault of this.#active) {
      const { rule } = fault;
      if (!fits(rule, target)) continue;
      fault.passed += 1;
      if (fault.passed <= (rule.skip ?? 0) || this.#random() >= (rule.probability ?? 1)) continue;
      fault.hits += 1;
      if (fault.hits >= (rule.count ?? 1)) this.#active = this.#active.filter((other) => other !== fault);
      return rule.effect;
    }
    return undefined;
  }
}

/** The refusal that an effect asks for, in the words AWS uses where they are known. */
export function refusal(effect: Extract<FaultEffect, { kind: "refuse" }>, target: CallTarget): ServiceError {
  return new ServiceError(effect.error, effect.message ?? words(effect.error, target));
}

function words(error: ServiceErrorName, target: CallTarget): string {
  const action = `${neighbours[target.operation] ?? "kinesis"}:${target.operation}`;
  switch (error) {
    case "AccessDeniedException":
      return `User: arn:aws:iam::000000000000:user/test is not authorized to perform: ${action} on resource: ${target.streamName ?? "*"} because no identity-based policy allows the ${action} action`;
    case "ProvisionedThroughputExceededException":
      return `Rate exceeded for shard ${target.shardId ?? "*"} in stream ${target.streamName ?? "*"} under account 000000000000.`;
    case "ExpiredIteratorException":
      return "Iterator expired.";
    default:
      return `${error} by order of the test`;
  }
}

/** The services of the operations that are not of Kinesis. */
const neighbours: Readonly<Record<string, string>> = {
  AssumeRole: "sts",
  GetCallerIdentity: "sts",
  PutMetricData: "cloudwatch",
};

function fits(rule: FaultRule, target: CallTarget): boolean {
  return (
    (rule.operation === target.operation ||
      (rule.operation === "*" && target.operation !== eventOperation)) &&
    (rule.streamName === undefined || rule.streamName === target.streamName) &&
    (rule.shardId === undefined || rule.shardId === target.shardId)
  );
}
