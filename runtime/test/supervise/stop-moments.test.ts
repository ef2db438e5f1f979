import type { Clock, Source, SourceContext, SourceRecord } from "@pulsar-ts-io/core";
import type { Publisher, Transport } from "@pulsar-ts-io/pulsar";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../src/cli/exit-codes.ts";
import type { Attempt } from "../../src/supervise/attempt.ts";
import { ChildAttempt } from "../../src/supervise/child-attempt.ts";
import { InstanceFleet } from "../../src/supervise/instance-fleet.ts";
import { InstanceSupervisor } from "../../src/supervise/instance-supervisor.ts";
import { OwnAttempt } from "../../src/supervise/own-attempt.ts";
import { JoinedChild } from "../support/joined-child.ts";
import { makeInstance } from "../support/start-instance.ts";
import { storedAs, TestPublishError } from "../support/step-transport.ts";

const stepMs = 50;
const never = Number.POSITIVE_INFINITY;

/** How one start of an instance goes, in milliseconds of its own clock. */
interface Life {
  /** Loading the connector. */
  readonly startMs: number;
  readonly openMs: number;
  readonly openFails?: boolean;
  readonly readMs: number;
  /** The read that fails; absent: none does. */
  readonly failingRead?: number;
  /** From a record to its receipt. */
  readonly receiptMs: number;
  /** The record whose receipt is a refusal; absent: none is. */
  readonly refused?: number;
  readonly closeMs: number;
  readonly closeFails?: boolean;
  /** When its process is killed; absent: never. */
  readonly killedMs?: number;
}

const well: Life = { startMs: 100, openMs: 200, readMs: 100, receiptMs: 250, closeMs: 150 };
const failing: Life = { ...well, startMs: 150, failingRead: 3 };

/** Waits on the test's clock, and ends with the signal. */
class TimedSource implements Source<unknown> {
  readonly #life: Life;
  readonly #clock: Clock;
  #context: SourceContext | undefined;
  #reads = 0;

  constructor(life: Life, clock: Clock) {
    this.#life = life;
    this.#clock = clock;
  }

  async open(_config: unknown, context: SourceContext): Promise<void> {
    this.#context = context;
    await this.#clock.sleep(this.#life.openMs, context.signal);
    if (this.#life.openFails === true) throw new Error("nobody there");
  }

  async read(): Promise<SourceRecord> {
    if (this.#context === undefined) throw new Error("not open");
    await this.#clock.sleep(this.#life.readMs, this.#context.signal);
    this.#reads += 1;
    if (this.#reads === this.#life.failingRead) throw new Error("the well is dry");
    return { value: new Uint8Array([this.#reads]), ack: () => undefined };
  }

  async close(): Promise<void> {
    await this.#clock.sleep(this.#life.closeMs, new AbortController().signal);
    if (this.#life.closeFails === true) throw new Error("the position was not stored");
  }
}

/** Confirms each record after a while. */
class TimedTransport implements Transport {
  readonly #life: Life;
  readonly #clock: Clock;

  constructor(life: Life, clock: Clock) {
    this.#life = life;
    this.#clock = clock;
  }

  open(): Promise<Publisher> {
    const { receiptMs, refused } = this.#life;
    const pending = new Set<Promise<void>>();
    const ended = new AbortController();
    let sent = 0;
    const close = () => {
      ended.abort(new Error("closed"));
      return Promise.resolve();
    };
    return Promise.resolve({
      full: false,
      send: (_message, delivery) => {
        sent += 1;
        const isRefused = sent === refused;
        const settled = this.#clock.sleep(receiptMs, ended.signal).then(
          () => (isRefused ? delivery.failed(new TestPublishError("refused")) : delivery.stored(storedAs)),
          () => delivery.failed(new TestPublishError("closed", "PIO_PUBLISHER_CLOSED")),
        );
        pending.add(settled);
        void settled.then(() => pending.delete(settled));
      },
      room: () => Promise.resolve(),
      flush: async () => void (await Promise.all(pending)),
      close,
      [Symbol.asyncDispose]: close,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Stop {
  readonly atMs: number;
  /** Whether it comes before or after all else that happens in that millisecond. */
  readonly order: "first" | "last";
}

type Host = "own process" | "child process";

/** Runs instances whose starts go as `lives` say, the last one again and again, and stops the run. */
async function exitCodeAfter(lives: readonly (readonly Life[])[], host: Host, stop: Stop) {
  const clock = new TestClock();
  const controller = new AbortController();
  const abort = () => controller.abort(new Error("SIGTERM received"));
  if (stop.order === "first") void clock.sleep(stop.atMs, new AbortController().signal).then(abort);
  const logger = new RecordingLogger();
  const supervisors = lives.map((starts, instanceId) => {
    let started = 0;
    const start = async (signal: AbortSignal): Promise<Attempt> => {
      const life = starts[Math.min(started, starts.length - 1)] ?? well;
      started += 1;
      const open = async (_job: unknown, opening: AbortSignal): Promise<Attempt> => {
        await clock.sleep(life.startMs, opening);
        const source = new TimedSource(life, clock);
        const instance = makeInstance(source, new TimedTransport(life, clock), { clock, logger });
        const limits = { stallTimeoutMs: 600_000, maxMemoryBytes: undefined };
        const metrics = { families: () => Promise.resolve([]) };
        return new OwnAttempt(instance, {}, { limits, clock, logger, residentBytes: () => 0, metrics });
      };
      if (host === "own process") return await open(undefined, signal);
      return new ChildAttempt({
        launch: (listener) => {
          const child = new JoinedChild(listener, (job) => open(job, new AbortController().signal), clock);
          if (life.killedMs !== undefined) {
            void clock.sleep(life.killedMs, new AbortController().signal).then(() => child.kill());
          }
          return child;
        },
        job: {},
        drainTimeoutMs: 25_000,
        clock,
        logger,
      });
    };
    const options = {
      instanceId,
      maxRestarts: undefined,
      startTimeoutMs: 0,
      clock,
      logger,
      random: () => 0,
      mask: String,
    };
    return new InstanceSupervisor(start, options);
  });
  const fleet = new InstanceFleet(supervisors, logger);
  const ended = fleet.run(controller.signal).then(
    () => 0,
    (error: unknown) => exitCodeOf(error),
  );
  await clock.advance(stop.atMs);
  abort();
  await clock.advance(200_000);
  return await ended;
}

function moments(untilMs: number): readonly Stop[] {
  const times = Array.from({ length: untilMs / stepMs + 1 }, (_, index) => index * stepMs);
  return times.flatMap((atMs) => [
    { atMs, order: "first" },
    { atMs, order: "last" },
  ]);
}

/** The exit code of a stop at each moment, and the moments at which it is `code`. */
async function sweep(lives: readonly (readonly Life[])[], host: Host, untilMs: number) {
  const codes = new Map<number, Stop[]>();
  for (const stop of moments(untilMs)) {
    const code = await exitCodeAfter(lives, host, stop);
    codes.set(code, [...(codes.get(code) ?? []), stop]);
  }
  return codes;
}

const hosts: readonly Host[] = ["own process", "child process"];

describe("A stop at any moment of the life of two instances", { timeout: 60_000 }, () => {
  it.each(hosts)(
    "ends with 0 while they start, open, run, fail, wait for a restart and close, each in its %s",
    async (host) => {
      const later: Life = { ...failing, startMs: 200, failingRead: 5, closeMs: 300 };
      const codes = await sweep(
        [
          [failing, well],
          [later, well],
        ],
        host,
        3_000,
      );
      expect([...codes.keys()]).toEqual([0]);
    },
  );

  it.each(hosts)("ends with 0 while one that failed for good stops the other, in its %s", async (host) => {
    const lives = [[{ ...well, openFails: true, closeMs: 300 }], [{ ...well, startMs: 450, closeMs: 400 }]];
    const codes = await sweep(lives, host, 1_200);
    const late = codes.get(4) ?? [];
    // Instance 0 fails at 300 ms and has closed at 600 ms, before the other is open; that one has closed at 1000 ms.
    expect([...codes.keys()]).toEqual([0, 4]);
    expect(Math.min(...late.map(({ atMs }) => atMs))).toBe(1_000);
  });

  it.each(hosts)("ends with 5 when a record in flight gets no receipt in time, in its %s", async (host) => {
    const mute: Life = { ...failing, receiptMs: never };
    const codes = await sweep([[well], [mute, mute]], host, 1_000);
    // Its first record is read at 450 ms.
    const early = (codes.get(0) ?? []).map(({ atMs }) => atMs);
    expect([...codes.keys()]).toEqual([0, 5]);
    expect(Math.max(...early)).toBeLessThanOrEqual(450);
  });

  it.each(hosts)("ends with 5 when Pulsar refuses a record while it drains, in its %s", async (host) => {
    const refusing: Life = { ...well, startMs: 150, refused: 1 };
    const codes = await sweep([[well], [refusing]], host, 900);
    expect([...codes.keys()]).toEqual([0, 5]);
    expect((codes.get(0) ?? []).every(({ atMs }) => atMs <= 450)).toBe(true);
  });

  it.each(hosts)("ends with 1 when a source cannot store its position, in its %s", async (host) => {
    const codes = await sweep([[well], [{ ...well, closeFails: true }]], host, 900);
    expect([...codes.keys()]).toEqual([0, 1]);
    expect((codes.get(0) ?? []).every(({ atMs }) => atMs <= 100)).toBe(true);
  });

  it("ends with 0 when a process was killed before the stop, and with 1 when it is killed while it drains", async () => {
    const codes = await sweep([[well], [{ ...well, killedMs: 700 }, well]], "child process", 1_500);
    const killed = (codes.get(1) ?? []).map(({ atMs }) => atMs);
    expect([...codes.keys()]).toEqual([0, 1]);
    expect(Math.min(...killed)).toBeGreaterThan(300);
    expect(Math.max(...killed)).toBeLessThanOrEqual(700);
  });
});
