import type { UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import { formatCheckpoint, subSequenceOf } from "../checkpoint.ts";
import { type Lease, readerOf } from "./lease.ts";
import { attribute, number } from "./lease-item.ts";
import type { LeaseChange, TakeOptions } from "./lease-table.ts";
import type { Numbering } from "./numbering.ts";

/** KCL writes six decimals. */
const throughputSteps = 1_000_000;

/** What an UpdateItem says, but for its table and key. */
export type UpdateParts = Required<
  Pick<UpdateItemCommandInput, "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames">
> &
  Pick<UpdateItemCommandInput, "ExpressionAttributeValues">;

/**
 * Takes a lease: allowed while its counter is the one that was seen. Removes `checkpointOwner`, as a KCL 3 leader
 * would otherwise take the lease back.
 */
export function takeUpdate(lease: Lease, worker: string, options: TakeOptions): UpdateParts {
  const { stamp, startTimeMs, sinceMs } = options;
  const update = new UpdateBuilder();
  update.require(`${update.name("counter")} = ${update.value("seen", number(lease.counter))}`);
  update.set("counter", number(lease.counter + 1));
  update.set("owner", { S: worker });
  update.set("consumerWorker", { S: worker });
  update.set("ownedSince", number(sinceMs));
  update.set("streamName", { S: stamp.streamName });
  if (stamp.streamCreatedMs !== undefined) update.set("streamCreated", number(stamp.streamCreatedMs));
  if (startTimeMs !== undefined) update.setIfAbsent("startTime", number(startTimeMs));
  update.remove("checkpointOwner");
  const from = lease.owner ?? worker;
  if (from !== worker || lease.checkpointOwner === worker) update.add("ownerSwitches", number(1));
  return update.build();
}

/**
 * Asks the owner of a lease to hand it over, as a KCL 3 leader does: `leaseOwner` names the next worker, `checkpointOwner` the
 * one that still reads, and the counter stays, so that his renewals go on. @see LeaseAssignmentManager in KCL 3
 */
export function handOffRequest(lease: Lease, worker: string): UpdateParts {
  const update = new UpdateBuilder();
  const owner = { S: lease.owner ?? "" };
  update.require(`${update.name("owner")} = ${update.value("reader", owner)}`);
  update.require(`${update.name("consumerWorker")} = ${update.value("reader", owner)}`);
  update.require(`attribute_not_exists(${update.name("checkpointOwner")})`);
  update.set("owner", { S: worker });
  update.set("checkpointOwner", owner);
  return update.build();
}

/**
 * Takes a {@link handOffRequest} back, the counter unmoved: one that its reader has not noticed was never there. Only where a worker
 * of this package reads: one of KCL 3 would wait for ever to hand over what nobody waits for.
 */
export function requestWithdrawal(worker: string): UpdateParts {
  const update = new UpdateBuilder();
  const reader = update.name("checkpointOwner");
  update.require(`${update.name("owner")} = ${update.value("me", { S: worker })}`);
  update.require(`${update.name("consumerWorker")} = ${reader}`);
  update.setAs("owner", "checkpointOwner");
  update.remove("checkpointOwner");
  return update.build();
}

/**
 * An owner's own write. Stricter than KCL's condition (the counter alone) and invisible to it: after a delete and
 * re-creation the counter starts anew and could match, and a hand-off of KCL 3 does not move it.
 *
 * Once a hand-off is known, `checkpointOwner` names us and `leaseOwner` the next worker: releasing the lease then makes it his.
 */
export function ownerUpdate(lease: Lease, change: LeaseChange): UpdateParts {
  const update = new UpdateBuilder();
  update.require(`${update.name("counter")} = ${update.value("seen", number(lease.counter))}`);
  const me = update.value("me", { S: readerOf(lease) ?? "" });
  const handingOver = lease.checkpointOwner !== undefined;
  update.require(`${update.name(handingOver ? "checkpointOwner" : "owner")} = ${me}`);
  if (!handingOver) update.require(`attribute_not_exists(${update.name("checkpointOwner")})`);
  update.set("counter", number(lease.counter + 1));
  const { checkpoint } = change;
  if (checkpoint !== undefined) {
    update.set("checkpoint", { S: formatCheckpoint(checkpoint) });
    update.set("subSequence", number(subSequenceOf(checkpoint)));
    update.set("ownerSwitches", number(0));
    update.remove("pending");
    update.remove("pendingSubSequence");
    update.remove("pendingState");
    update.remove("startTime");
  }
  const { numbering, throughputKBps } = change;
  if (numbering !== undefined) setNumbering(update, numbering);
  else if (checkpoint?.kind === "shard-end" && lease.numbering !== undefined) removeNumbering(update);
  if (throughputKBps !== undefined) {
    update.set("throughput", number(Math.round(throughputKBps * throughputSteps) / throughputSteps));
  }
  if (change.release === true) update.remove(handingOver ? "checkpointOwner" : "owner");
  return update.build();
}

function setNumbering(update: UpdateBuilder, { epoch, version, belongsTo, base }: Numbering): void {
  update.set("epoch", { S: epoch });
  update.set("ordinalVersion", { S: version });
  update.set("ordinalSequence", { S: belongsTo.sequenceNumber });
  update.set("ordinalSubSequence", number(belongsTo.subSequenceNumber));
  if (base.kind === "ordinal") {
    update.set("ordinal", number(base.ordinal));
    update.remove("anchor");
  } else {
    update.set("anchor", { S: base.sequenceNumber });
    update.remove("ordinal");
  }
}

function removeNumbering(update: UpdateBuilder): void {
  const all = [
    "epoch",
    "ordinal",
    "ordinalSequence",
    "ordinalSubSequence",
    "ordinalVersion",
    "anchor",
  ] as const;
  for (const one of all) update.remove(one);
}

type Attribute = keyof typeof attribute;
type Value = NonNullable<UpdateItemCommandInput["ExpressionAttributeValues"]>[string];

/** Collects the parts of one UpdateItem; every attribute goes by an alias, some of the names being reserved words. */
class UpdateBuilder {
  readonly #names: Record<string, string> = {};
  readonly #values: Record<string, Value> = {};
  readonly #conditions: string[] = [];
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #adds: string[] = [];

  name(of: Attribute): string {
    this.#names[`#${of}`] = attribute[of];
    return `#${of}`;
  }

  value(alias: string, value: Value): string {
    this.#values[`:${alias}`] = value;
    return `:${alias}`;
  }

  require(condition: string): void {
    this.#conditions.push(condition);
  }

  set(of: Attribute, value: Value): void {
    this.#sets.push(`${this.name(of)} = ${this.value(of, value)}`);
  }

  /** As another attribute was before the write. */
  setAs(of: Attribute, other: Attribute): void {
    this.#sets.push(`${this.name(of)} = ${this.name(other)}`);
  }

  setIfAbsent(of: Attribute, value: Value): void {
    const name = this.name(of);
    this.#sets.push(`${name} = if_not_exists(${name}, ${this.value(of, value)})`);
  }

  add(of: Attribute, value: Value): void {
    this.#adds.push(`${this.name(of)} ${this.value(of, value)}`);
  }

  remove(of: Attribute): void {
    this.#removes.push(this.name(of));
  }

  build(): UpdateParts {
    const clauses = [
      ["SET", this.#sets],
      ["REMOVE", this.#removes],
      ["ADD", this.#adds],
    ] as const;
    return {
      UpdateExpression: clauses
        .filter(([, parts]) => parts.length > 0)
        .map(([word, parts]) => `${word} ${parts.join(", ")}`)
        .join(" "),
      ConditionExpression: this.#conditions.join(" AND "),
      ExpressionAttributeNames: this.#names,
      ExpressionAttributeValues: this.#values,
    };
  }
}
