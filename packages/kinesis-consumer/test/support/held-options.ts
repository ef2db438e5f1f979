import type { Clock } from "@pulsar-ts-io/core";
import type { HeldLeaseOptions } from "../../src/lease/held-lease.ts";
import { RenewalLine } from "../../src/lease/renewal-line.ts";

/** A lease that was taken at the start of `clock`, and is the only one. */
export function heldOptions(clock: Clock): HeldLeaseOptions {
  const failoverMs = 10_000;
  return {
    clock,
    failoverMs,
    takenMs: 0,
    line: new RenewalLine({ clock, failoverMs, random: () => 0.5 }),
  };
}
