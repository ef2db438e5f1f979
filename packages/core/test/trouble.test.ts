import { ConnectorError, type Logger, TroubleLog } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";

class Refused extends ConnectorError {
  readonly code = "PIO_REFUSED";
  readonly retryable = true;
}

const refused = (message = "the service refused the call") =>
  new Refused(message, { remedy: "grant the permission" });

function rig() {
  let nowMs = 1_000_000;
  let aheadMs = 0;
  const lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push({ level, message, fields });
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  const clock = { now: () => nowMs + aheadMs, monotonic: () => nowMs - 999_000 };
  const troubles = new TroubleLog({ clock, logger });
  const lasting: string[] = [];
  troubles.whenLasting((error) => lasting.push(error.message));
  return {
    troubles,
    lines,
    lasting,
    pass: (ms: number) => (nowMs += ms),
    setAhead: (ms: number) => (aheadMs = ms),
  };
}

describe("TroubleLog", () => {
  it("shows what fails, since when, how often, the last error and its remedy", () => {
    const { troubles, pass } = rig();
    const outage = troubles.of("lease table");
    outage.failed("scan", refused("the first answer"));
    pass(4_000);
    outage.failed("renewal", refused());
    expect(troubles.current()).toEqual([
      {
        what: "lease table",
        sinceMs: 1_000_000,
        lastMs: 1_004_000,
        failures: 2,
        affected: 2,
        code: "PIO_REFUSED",
        message: "the service refused the call",
        remedy: "grant the permission",
        blocking: true,
      },
    ]);
  });

  it("ends a trouble when the last of those that failed succeeds, and logs its begin and its end once", () => {
    const { troubles, lines, pass } = rig();
    const outage = troubles.of("lease table");
    outage.failed("scan", refused());
    outage.failed("renewal", refused());
    pass(7_000);
    outage.recovered("scan");
    expect(troubles.current()).toHaveLength(1);
    outage.recovered("renewal");
    outage.recovered("renewal");
    expect(troubles.current()).toEqual([]);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ["warn", "lease table failing, retrying"],
      ["info", "lease table recovered"],
    ]);
    expect(lines[1]?.fields).toEqual({ failures: 2, forSeconds: 7 });
  });

  it("logs a trouble that lasts again every ten minutes", () => {
    const { troubles, lines, pass } = rig();
    const outage = troubles.of("broker");
    for (let failure = 0; failure <= 1_200; failure += 1) {
      outage.failed("connection", refused());
      pass(1_000);
    }
    expect(lines.map(({ message }) => message)).toEqual([
      "broker failing, retrying",
      "broker still failing, retrying",
      "broker still failing, retrying",
    ]);
    expect(lines[2]?.fields).toMatchObject({ failures: 1_201, forSeconds: 1_200, affected: 1 });
  });

  it("shows nothing once everyone who failed stopped trying, and starts a new trouble at a later failure", () => {
    const { troubles, lines, pass } = rig();
    const outage = troubles.of("lease table");
    outage.failed("renewal", refused());
    outage.left("renewal");
    expect(troubles.current()).toEqual([]);
    pass(31_000);
    outage.failed("scan", refused());
    expect(lines.map(({ message }) => message)).toEqual([
      "lease table failing, retrying",
      "lease table failing, retrying",
    ]);
    expect(troubles.current()[0]?.sinceMs).toBe(1_031_000);
  });

  it("continues a trouble when another part fails shortly after all that failed stopped trying", () => {
    const { troubles, lines, pass } = rig();
    const outage = troubles.of("lease table");
    outage.failed("renewal", refused());
    outage.left("renewal");
    pass(5_000);
    outage.failed("take", refused());
    expect(lines).toHaveLength(1);
    expect(troubles.current()[0]?.sinceMs).toBe(1_000_000);
  });

  it("asks at each look whether a trouble that concerns parts of the source blocks all of it", () => {
    const { troubles } = rig();
    const outage = troubles.of("reading", { blocking: (affected) => affected >= 2 });
    outage.failed("one", refused());
    expect(troubles.current()[0]?.blocking).toBe(false);
    outage.failed("two", refused());
    expect(troubles.current()[0]?.blocking).toBe(true);
    expect(troubles.of("reading")).toBe(outage);
  });

  it("reports a trouble once as a failure of the source when it has lasted ten seconds", () => {
    const { troubles, lasting, pass } = rig();
    const outage = troubles.of("broker");
    outage.failed("connection", refused("first"));
    pass(9_999);
    outage.failed("connection", refused("second"));
    expect(lasting).toEqual([]);
    pass(1);
    outage.failed("connection", refused("third"));
    pass(20_000);
    outage.failed("connection", refused("fourth"));
    expect(lasting).toEqual(["third"]);
  });

  it.each([3_600_000, -3_600_000])(
    "knows how long it has failed after the wall clock was set by %d ms",
    (ms) => {
      const { troubles, pass, setAhead } = rig();
      troubles.of("broker").failed("connection", refused());
      pass(4_000);
      troubles.of("broker").failed("connection", refused());
      setAhead(ms);
      pass(1_000);
      expect(troubles.current()).toMatchObject([{ sinceMs: 1_000_000 + ms, lastMs: 1_004_000 + ms }]);
      setAhead(40);
      expect(troubles.current()).toMatchObject([{ sinceMs: 1_000_000, lastMs: 1_004_000 }]);
    },
  );

  it("lists the oldest trouble first", () => {
    const { troubles, pass } = rig();
    troubles.of("broker");
    troubles.of("lease table").failed("scan", refused());
    pass(1);
    troubles.of("broker").failed("connection", refused());
    expect(troubles.current().map(({ what }) => what)).toEqual(["lease table", "broker"]);
  });
});
