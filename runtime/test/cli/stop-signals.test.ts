import { EventEmitter } from "node:events";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { type SignalProcess, StopSignals } from "../../src/cli/stop-signals.ts";

class Process extends EventEmitter implements SignalProcess {
  readonly exits: number[] = [];

  exit(code: number): never {
    this.exits.push(code);
    return undefined as never; // the real process ends here
  }
}

/** Signals under the test's clock. */
function watched() {
  const proc = new Process();
  const clock = new TestClock();
  const stop = new StopSignals(proc, clock);
  let overdue = false;
  void stop.overdue.then(() => {
    overdue = true;
  });
  return { proc, clock, stop, isOverdue: () => overdue };
}

describe("StopSignals", () => {
  it.each([
    ["SIGINT", "SIGINT", 130],
    ["SIGTERM", "SIGTERM", 143],
    ["SIGINT", "SIGTERM", 143],
  ])("asks to stop on %s, and ends the process on %s after it with %i", (first, second, code) => {
    const proc = new Process();
    using stop = new StopSignals(proc);
    proc.emit(first);
    expect(stop.signal.aborted).toBe(true);
    expect(stop.signal.reason).toMatchObject({ name: "StopRequest", message: `${first} received` });
    expect(proc.exits).toEqual([]);
    proc.emit(second);
    expect(proc.exits).toEqual([code]);
  });

  it("waits half a second for the command, and no longer", async () => {
    const { proc, clock, isOverdue } = watched();
    proc.emit("SIGTERM");
    await clock.advance(499);
    expect(isOverdue()).toBe(false);
    await clock.advance(1);
    expect(isOverdue()).toBe(true);
  });

  it("lets a drain take its time, and waits half a second for the command after it", async () => {
    const { stop, proc, clock, isOverdue } = watched();
    const drain = stop.drain();
    proc.emit("SIGINT");
    await clock.advance(60_000);
    expect(isOverdue()).toBe(false);
    drain[Symbol.dispose]();
    await clock.advance(499);
    expect(isOverdue()).toBe(false);
    await clock.advance(1);
    expect(isOverdue()).toBe(true);
  });

  it("waits for nothing as long as no signal came, also when the command stops itself", async () => {
    const { stop, clock, isOverdue } = watched();
    stop.drain()[Symbol.dispose]();
    stop.stop("enough");
    await clock.advance(60_000);
    expect(isOverdue()).toBe(false);
    expect(stop.exitCode).toBeUndefined();
  });

  it("knows the exit code of a command that was interrupted, and of one that is meant to be stopped", () => {
    const { stop, proc } = watched();
    proc.emit("SIGTERM");
    expect(stop.exitCode).toBe(143);
    stop.expectStop(true);
    expect(stop.exitCode).toBe(0);
  });

  it("gives the signals back when it is disposed of", () => {
    const proc = new Process();
    new StopSignals(proc)[Symbol.dispose]();
    expect(proc.listenerCount("SIGINT") + proc.listenerCount("SIGTERM")).toBe(0);
  });
});
