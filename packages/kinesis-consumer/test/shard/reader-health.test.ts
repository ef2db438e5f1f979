import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReaderHealth, type Remedy } from "../../src/shard/reader-health.ts";

/** A reader's health, looked at every five seconds. */
class Patient {
  readonly health: ReaderHealth = new ReaderHealth(0);
  nowMs = 0;

  /** Lets time pass. @returns what had to be done in it, with the time of each. */
  pass(ms: number, each: () => void = () => {}): readonly (readonly [atMs: number, remedy: Remedy])[] {
    const done: (readonly [number, Remedy])[] = [];
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 5_000;
      each();
      const remedy = this.health.look(this.nowMs);
      if (remedy !== "none") done.push([this.nowMs, remedy]);
    }
    return done;
  }
}

function asking(): Patient {
  const patient = new Patient();
  patient.health.asking();
  return patient;
}

describe("ReaderHealth", () => {
  it("restarts a silent reader after a minute, three times, and gives up two minutes after the last sign", () => {
    const patient = asking();
    expect(patient.pass(120_000)).toEqual([
      [60_000, "restart"],
      [80_000, "restart"],
      [100_000, "restart"],
      [120_000, "give-up"],
    ]);
    expect(patient.health.state).toBe("stuck");
  });

  it("forgets the restarts once the reader gets any further, and not because it answers", () => {
    const patient = asking();
    patient.pass(60_000);
    patient.health.answered(0, 5_000);
    expect(patient.health.state).toBe("stuck");
    patient.health.answered(3, 4_000);
    expect(patient.health.state).toBe("reading");
    expect(patient.health.restarts).toBe(0);
    expect(patient.pass(55_000)).toEqual([]);
  });

  it("calls a reader stuck whose answers bring nothing and come no nearer to the newest record", () => {
    const patient = asking();
    let behindMs = 10_000;
    const stagnate = () => {
      behindMs += 5_000;
      patient.health.answered(0, behindMs);
    };
    expect(patient.pass(120_000, stagnate)).toEqual([
      [60_000, "restart"],
      [80_000, "restart"],
      [100_000, "restart"],
      [120_000, "give-up"],
    ]);
  });

  it("lets a reader cross hours without records, also once it was restarted and starts them again", () => {
    const patient = asking();
    patient.health.answered(0, 1_000);
    expect(patient.pass(60_000)).toEqual([[60_000, "restart"]]);
    let behindMs = 3_600_000;
    const cross = () => {
      behindMs -= 1_000;
      patient.health.answered(0, behindMs);
    };
    expect(patient.pass(600_000, cross)).toEqual([]);
    expect(patient.health.state).toBe("reading");
  });

  it("never calls a reader stuck that is held back for days", () => {
    const patient = asking();
    patient.health.heldBack();
    expect(patient.pass(172_800_000)).toEqual([]);
    expect(patient.health.state).toBe("held-back");
    patient.health.asking();
    expect(patient.pass(55_000)).toEqual([]);
  });

  it("says that a reader is held back only when it has waited for ten seconds at a stretch", () => {
    const patient = asking();
    patient.pass(60_000, () => {
      patient.health.asking();
      patient.health.answered(1, 0);
      patient.health.heldBack();
    });
    expect(patient.health.state).toBe("reading");
    patient.pass(10_000, () => patient.health.heldBack());
    expect(patient.health.state).toBe("held-back");
  });

  it("never calls an idle shard stuck, however long it is idle", () => {
    const patient = asking();
    expect(patient.pass(86_400_000, () => patient.health.answered(0, 0))).toEqual([]);
    expect(patient.health.state).toBe("idle");
  });

  it("waits as long as the reader said it would rest, and a minute more", () => {
    const patient = asking();
    patient.health.resting(300_000);
    expect(patient.pass(355_000)).toEqual([]);
    expect(patient.pass(5_000)).toEqual([[360_000, "restart"]]);
  });

  it("tells throttles, failures and waiting from being stuck, and restarts none of them", () => {
    const [starved, failing, waiting] = [asking(), asking(), asking()];
    waiting.health.waiting();
    expect(starved.pass(600_000, () => starved.health.throttled())).toEqual([]);
    expect(failing.pass(600_000, () => failing.health.failed())).toEqual([]);
    expect(waiting.pass(600_000)).toEqual([]);
    expect([starved, failing, waiting].map(({ health }) => health.state)).toEqual([
      "starved",
      "failing",
      "waiting",
    ]);
  });

  it("is starved while as many calls are throttled as answered, and no longer than a minute after", () => {
    const patient = asking();
    const half = () => {
      patient.health.throttled();
      patient.health.answered(10, 9_000);
    };
    patient.pass(30_000, half);
    expect(patient.health.state).toBe("starved");
    patient.pass(60_000, () => patient.health.answered(10, 9_000));
    expect(patient.health.state).toBe("reading");
  });

  it("is starved after ten seconds of nothing but throttles, and not ten seconds after the last of them", () => {
    const patient = asking();
    patient.pass(300_000, () => patient.health.answered(10, 0));
    const throttled = () => {
      patient.health.throttled();
      patient.health.throttled();
    };
    patient.pass(5_000, throttled);
    expect(patient.health.state).toBe("reading");
    patient.pass(5_000, throttled);
    expect(patient.health.state).toBe("starved");
    patient.pass(10_000, throttled);
    patient.pass(5_000, () => patient.health.answered(10, 0));
    expect(patient.health.state).toBe("starved");
    patient.pass(10_000, () => patient.health.answered(10, 0));
    expect(patient.health.state).toBe("reading");
  });

  it("does not call a reader starved for a throttle now and then", () => {
    const patient = asking();
    for (let round = 0; round < 20; round += 1) {
      patient.health.throttled();
      patient.pass(30_000, () => patient.health.answered(10, 9_000));
      expect(patient.health.state).toBe("reading");
    }
  });

  it("is failing after three failures in a row and twenty seconds, until one answer", () => {
    const patient = asking();
    const { health } = patient;
    patient.pass(10_000, () => health.failed());
    patient.pass(25_000);
    expect(health.state).toBe("reading");
    health.failed();
    expect(health.state).toBe("failing");
    health.answered(0, 0);
    expect(health.state).toBe("idle");
  });

  it("is not failing while the next owner of a lease waits for the subscription of the former to end", () => {
    const patient = asking();
    patient.pass(15_000, () => patient.health.failed());
    expect(patient.health.state).toBe("reading");
  });

  it("counts a connection that the reader cut off as a restart, and gives up no sooner for it", () => {
    const patient = asking();
    const remedies = [1, 2, 3, 4].map(() => {
      patient.health.cutOff();
      expect(patient.health.state).toBe("stuck");
      return patient.pass(10_000);
    });
    expect(remedies).toEqual([[], [], [], []]);
    expect(patient.pass(80_000)).toEqual([[120_000, "give-up"]]);
  });

  it("does not blame the reader for the time in which the process was suspended", () => {
    const patient = asking();
    patient.pass(45_000);
    patient.nowMs += 3_600_000;
    expect(patient.health.look(patient.nowMs)).toBe("none");
    expect(patient.health.state).toBe("reading");
  });

  it("asks for nothing as long as something leads further once in a minute, whatever else happens", () => {
    type Sign = (health: ReaderHealth) => void;
    const signs: readonly Sign[] = [
      (health) => health.throttled(),
      (health) => health.failed(),
      (health) => health.heldBack(),
      (health) => health.asking(),
      (health) => health.answered(0, 7_000),
      (health) => health.resting(200),
      (health) => health.waiting(),
    ];
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom(...signs), { maxLength: 9 })), (rounds) => {
        const patient = asking();
        for (const round of rounds) {
          for (const sign of round) sign(patient.health);
          expect(patient.pass(50_000)).toEqual([]);
          patient.health.answered(1, 7_000);
        }
      }),
    );
  });
});
