import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { progressLine, showProgress } from "../../src/cli/progress.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import { Screen } from "../support/fake-process.ts";
import { report } from "../support/report.ts";

const snapshot = report({ counts: { received: 10, inFlight: 10 } }).counts;

describe("progressLine", () => {
  it.each([
    [{ written: 1_234_567, lagMs: 40 }, 999.6, "1 234 567 records  1 000/s  lag 40 ms  10 in flight"],
    [{ lagMs: 90_000 }, 0, "0 records  0/s  lag 90 s  10 in flight"],
    [{ lagMs: 600_000 }, 0, "0 records  0/s  lag 10 min  10 in flight"],
    [{ lagMs: 86_400_000 }, 0, "0 records  0/s  lag 24 h  10 in flight"],
    [{ failed: 2 }, 0, "0 records  0/s  lag unknown  10 in flight  2 failed"],
  ])("shows %j at %d a second", (changes, rate, line) => {
    expect(progressLine({ ...snapshot, ...changes }, rate)).toBe(line);
  });
});

describe("showProgress", () => {
  it("logs one line every 30 s where nobody watches, with the rate since the last", async () => {
    const [clock, logger, screen] = [new TestClock(), new RecordingLogger(), new Screen()];
    const stop = new AbortController();
    let written = 0;
    const shown = showProgress(
      {
        clock,
        logger,
        terminal: new Terminal(new Screen(), screen),
        snapshot: () => ({ ...snapshot, written }),
      },
      stop.signal,
    );
    await clock.advance(29_999);
    expect(logger.lines).toEqual([]);
    written = 3_000;
    await clock.advance(30_001);
    expect(logger.lines.map(({ message, fields }) => [message, fields["recordsPerSecond"]])).toEqual([
      ["running", 100],
      ["running", 0],
    ]);
    stop.abort();
    await shown;
    expect(screen.text).toBe("");
  });

  it("redraws one line twice a second on a terminal, and clears it at the end", async () => {
    const [clock, logger, screen] = [new TestClock(), new RecordingLogger(), new Screen(true)];
    const stop = new AbortController();
    const shown = showProgress(
      { clock, logger, terminal: new Terminal(new Screen(true), screen), snapshot: () => snapshot },
      stop.signal,
    );
    await clock.advance(1_000);
    stop.abort();
    await shown;
    const line = "\r\u001b[2K0 records  0/s  lag unknown  10 in flight";
    expect(screen.text).toBe(`${line}${line}\r\u001b[2K`);
    expect(logger.lines).toEqual([]);
  });
});
