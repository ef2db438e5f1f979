import { systemClock } from "@pulsar-ts-io/core";
import { openWire } from "../harness/wire.ts";
import { transportContract } from "./transport-contract.ts";

/** The partition count is asked for every 60 s; here ten times a second. */
const hasty = {
  ...systemClock,
  sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms === 60_000 ? 100 : ms, signal),
};

transportContract({ name: "the wire transport", open: (address) => openWire(address, hasty).transport });
