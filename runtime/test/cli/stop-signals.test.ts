import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { type SignalProcess, StopSignals } from "../../src/cli/stop-signals.ts";

class Process extends EventEmitter implements SignalProcess {
  readonly exits: number[] = [];

  exit(code: number): never {
    this.exits.push(code);
    return undefined as never; // the real process ends here
  }
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

  it("gives the signals back when it is disposed of", () => {
    const proc = new Process();
    new StopSignals(proc)[Symbol.dispose]();
    expect(proc.listenerCount("SIGINT") + proc.listenerCount("SIGTERM")).toBe(0);
  });
});
