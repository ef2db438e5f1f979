import { Readable } from "node:stream";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KinesisCredentialsError } from "../../connectors/kinesis/src/errors.ts";
import { freshCredentials } from "../../connectors/kinesis/src/fresh-credentials.ts";
import { AwsUnreachableError } from "../../packages/kinesis-consumer/src/errors.ts";
import { PulsarUnreachableError } from "../../packages/pulsar/src/index.ts";
import type { FakeConnection } from "../../packages/pulsar/test/harness/fake-broker.ts";
import { byTier } from "../harness/tier.ts";
import { TruthRun, type TruthRunOptions } from "./truth-run.ts";

/** How long the fault lasts, and within which times all of it has to be seen, milliseconds. */
const faultMs = 70_000;
const shownMs = 30_000;
/** Shards are listed every two minutes at most. */
const longestUnneededMs = 130_000;
const clearedMs = 30_000;
const recoveryMs = 15_000;
/** The drain and the close of the source, as documented. */
const stopMs = 25_000 + 15_000;
/** As the consumer's clients end a call to DynamoDB. */
const dynamoMs = 8_000;
/** As the consumer's clients end an attempt to call Kinesis that gets no byte. */
const silentMs = 10_000;

const faults = [
  "never answers",
  "answers after the limit",
  "stalls in mid-body",
  "refuses the connection",
  "has no DNS",
  "stalls in the TLS handshake",
] as const;
type Fault = (typeof faults)[number];

/** A fault while it lasts. */
class Hang {
  readonly fault: Fault;
  readonly #held: (() => void)[] = [];
  active = false;
  /** Whether a call has met it. */
  met = false;

  constructor(fault: Fault) {
    this.fault = fault;
  }

  /** Waits for the end of the fault. */
  lifted(): Promise<void> {
    return new Promise((resolve) => this.#held.push(resolve));
  }

  lift(): void {
    this.active = false;
    for (const go of this.#held.splice(0)) go();
  }

  /** Whether a call meets the fault now. */
  meets(): boolean {
    this.met ||= this.active;
    return this.active;
  }

  /** What the system says at once, if the fault is not a silent one. */
  refusal(): Error | undefined {
    if (this.fault === "refuses the connection")
      return Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" });
    if (this.fault === "has no DNS")
      return Object.assign(new Error("getaddrinfo EAI_AGAIN service"), { code: "EAI_AGAIN" });
    return undefined;
  }
}

/** A call of the running source, how it meets a fault, and what makes the source need it. */
interface Call {
  readonly name: string;
  readonly run?: TruthRunOptions;
  readonly faults?: readonly Fault[];
  readonly install: (run: TruthRun, hang: Hang) => void;
  readonly provoke?: (run: TruthRun) => void;
}

function kinesis(name: string, more: Partial<Call> = {}): Call {
  return {
    name: `Kinesis ${name}`,
    install: (run, hang) => {
      run.onCall = (operation, send, signal) =>
        operation === name && hang.meets() ? silentlyEnded(run, hang, send, signal) : send();
    },
    ...more,
  };
}

type Send = Parameters<TruthRun["onCall"]>[1];

/** The consumer's own request handler ends an attempt in silence. */
function silentlyEnded(run: TruthRun, hang: Hang, send: Send, signal: AbortSignal | undefined) {
  const end = new AbortController();
  run.clock.sleep(silentMs, new AbortController().signal).then(
    () => end.abort(Object.assign(new Error("no byte within 10 s"), { name: "TimeoutError" })),
    () => {},
  );
  return faultyCall(hang, send, signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]));
}

async function faultyCall(hang: Hang, send: Send, signal: AbortSignal | undefined) {
  const refusal = hang.refusal();
  if (refusal !== undefined) throw refusal;
  if (hang.fault === "answers after the limit") {
    await Promise.race([hang.lifted(), aborted(signal)]);
    return await send();
  }
  if (hang.fault === "stalls in mid-body") {
    const { response } = await send();
    const body = new Readable({ read() {} });
    body.on("error", () => {});
    body.push('{"Rec');
    signal?.addEventListener("abort", () => body.destroy(new Error("aborted")), { once: true });
    return { response: { ...response, body } };
  }
  return await aborted(signal);
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function dynamo(name: string, methods: readonly string[], more: Partial<Call> = {}): Call {
  return {
    name: `DynamoDB ${name}`,
    install: (run, hang) => {
      run.table.before = async (method) => {
        if (!methods.includes(method) || !hang.meets()) return;
        const refusal = hang.refusal();
        run.table.leavesOpen = refusal === undefined;
        if (refusal === undefined) await run.clock.sleep(dynamoMs, new AbortController().signal);
        throw new AwsUnreachableError("DynamoDB did not answer", { remedy: "check the network" });
      };
    },
    ...more,
  };
}

const calls: readonly Call[] = [
  kinesis("GetRecords"),
  kinesis("ListShards"),
  kinesis("SubscribeToShard", {
    run: { retrieval: "fan-out" },
    provoke: (run) =>
      void run.kinesis.faults.add({
        operation: "SubscribeToShardEvent",
        count: 2,
        effect: { kind: "hang-up" },
      }),
  }),
  dynamo("GetItem", ["get"], {
    // Rows of children and parents are asked for, one by one, when a shard ends.
    provoke: (run) => run.split(),
  }),
  dynamo("UpdateItem", ["write", "take"]),
  dynamo("Scan", ["list"]),
  {
    name: "STS AssumeRole",
    install: (run, hang) => {
      const identity = () => ({
        accessKeyId: "test",
        secretAccessKey: "test",
        expiration: new Date(run.clock.now() + 15_000),
      });
      run.onCredentials = freshCredentials({
        clock: run.clock,
        attempt: () => ({ identity: faultyCredentials(hang, identity), abandon: () => {} }),
        late: () => new KinesisCredentialsError("no credentials within 10 s", { retryable: true }),
      });
      run.table.before = async () => {
        await run.onCredentials();
      };
    },
  },
  {
    name: "Pulsar dial",
    faults: faults.filter((fault) => fault !== "stalls in mid-body"),
    install: (run, hang) => {
      run.onDial = async (dial) => {
        if (!hang.meets()) return await dial();
        const refusal = hang.refusal();
        if (refusal !== undefined) throw new PulsarUnreachableError(refusal.message);
        if (hang.fault !== "answers after the limit") return await new Promise(() => {});
        await hang.lifted();
        return await dial();
      };
    },
    provoke: (run) => run.cut(),
  },
  pulsarRequest("lookup", { provoke: (run) => run.closeProducers() }),
  {
    name: "Pulsar receipts",
    faults: ["answers after the limit", "stalls in mid-body"],
    install: (run, hang) => {
      const { onSend } = run.broker;
      run.broker.onSend = (send, connection) => {
        if (hang.meets()) stall(hang, connection, () => onSend(send, connection));
        else onSend(send, connection);
      };
    },
  },
];

/** What a source asks only before it reads. */
const callsOfStart: readonly Call[] = [
  kinesis("DescribeStreamSummary"),
  kinesis("GetShardIterator"),
  kinesis("RegisterStreamConsumer", {
    run: { retrieval: "fan-out" },
    // Kinesis has registered the consumer by then, and the source sees that at its next look.
    faults: faults.filter((fault) => fault !== "stalls in mid-body"),
  }),
  kinesis("DescribeStreamConsumer", { run: { retrieval: "fan-out" } }),
  dynamo("DescribeTable", ["ready"]),
  dynamo("CreateTable", ["ensure"]),
  dynamo("PutItem", ["create"]),
  pulsarRequest("connect"),
  pulsarRequest("partitionedMetadata"),
  pulsarRequest("producer"),
];

function pulsarRequest(
  name: "connect" | "lookup" | "partitionedMetadata" | "producer",
  more: Partial<Call> = {},
): Call {
  return {
    name: `Pulsar ${name}`,
    faults: ["never answers", "answers after the limit", "stalls in mid-body"],
    install: (run, hang) => {
      run.broker.answer(name, (fields, connection) => {
        if (!hang.meets()) return false;
        stall(hang, connection, () => run.broker.answerHonestly(name, fields, connection));
        return undefined;
      });
    },
    ...more,
  };
}

async function faultyCredentials<T>(hang: Hang, identity: () => T): Promise<T> {
  if (!hang.meets()) return identity();
  const refusal = hang.refusal();
  if (refusal !== undefined) throw new KinesisCredentialsError(refusal.message, { retryable: true });
  if (hang.fault !== "answers after the limit") return await new Promise(() => {});
  await hang.lifted();
  return identity();
}

function stall(hang: Hang, connection: FakeConnection, answer: () => void): void {
  if (hang.fault === "answers after the limit") void hang.lifted().then(answer);
  if (hang.fault !== "stalls in mid-body" || connection.isStuck) return;
  connection.socket.write(Buffer.from([0, 0, 0, 64, 0, 0]));
  connection.isStuck = true;
}

interface Cell {
  readonly name: string;
  readonly fault: Fault;
  readonly call: Call;
}

function matrix(of: readonly Call[]): readonly Cell[] {
  return of.flatMap((call) => (call.faults ?? faults).map((fault) => ({ name: call.name, fault, call })));
}

/** In the quick tier each call meets two faults, another two for each. */
function tiered(cells: readonly Cell[]): readonly Cell[] {
  return cells.filter((_, index) => byTier({ quick: index % 3 === 0, long: true }));
}

const cells = tiered(matrix(calls));
/** Single rows are first asked for when a shard ends. */
const startCells = tiered(
  matrix([...calls.filter(({ name }) => name !== "DynamoDB GetItem"), ...callsOfStart]),
);

beforeEach(() => {
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"]) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A source whose first call of `cell` has yet to come; `stored` has what the broker confirmed. */
function prepare({ call, fault }: Cell, options: TruthRunOptions = {}) {
  const run = new TruthRun({ bounded: true, ...call.run, ...options }, new RecordingLogger());
  const stored = new Set<string>();
  const { onSend } = run.broker;
  run.broker.onSend = (send, connection) => {
    for (const { value } of send.messages) stored.add(Buffer.from(value).toString());
    onSend(send, connection);
  };
  const hang = new Hang(fault);
  call.install(run, hang);
  return { run, stored, hang };
}

async function troublesOf(run: TruthRun): Promise<readonly string[]> {
  const { status } = await run.look();
  return status.instances.flatMap(({ details }) => details.troubles.map(({ what }) => what));
}

/** What holds of a fault that `hang` is the end of: what recovers, and when. */
async function liftAndRecover({ run, stored, hang }: ReturnType<typeof prepare>): Promise<void> {
  hang.lift();
  await run.pass(500);
  const after = run.texts.at(-1) ?? "";
  const took = await passUntil(run, () => stored.has(after), clearedMs);
  expect(took).toBeLessThanOrEqual(recoveryMs);
  await run.pass(Math.max(0, clearedMs - took));
  expect(await troublesOf(run)).toEqual([]);
  run.feeding = false;
  await run.pass(5_000);
  expect(run.texts.filter((text) => !stored.has(text))).toEqual([]);
}

/** The SDK loads parts of itself at its first calls, which takes real time and none of the run's. */
async function loaded(run: TruthRun, condition: () => boolean): Promise<void> {
  await vi.waitFor(() => run.pass(500).then(() => expect(condition()).toBe(true)), { timeout: 20_000 });
}

describe("a running source", () => {
  /** A source that has run for a while. */
  async function begin(cell: Cell) {
    const begun = prepare(cell);
    const { run, stored } = begun;
    run.start();
    await loaded(run, () => stored.size > 0);
    await run.pass(20_000);
    expect(await troublesOf(run)).toEqual([]);
    return begun;
  }

  it.each(cells)(
    "loses no record, shows the trouble and recovers in time when a call hangs: $name $fault",
    { timeout: 60_000 },
    async (cell) => {
      const begun = await begin(cell);
      const { run, hang } = begun;
      await using _ = run;
      hang.active = true;
      cell.call.provoke?.(run);
      await passUntil(run, () => hang.met, longestUnneededMs);
      expect(hang.met).toBe(true);
      await run.pass(shownMs);
      expect(await troublesOf(run)).not.toEqual([]);
      await run.pass(faultMs - shownMs);
      await liftAndRecover(begun);
    },
  );

  it.each(cells)("stops in time while a call hangs: $name $fault", { timeout: 60_000 }, async (cell) => {
    const { run, hang } = await begin(cell);
    await using _ = run;
    hang.active = true;
    cell.call.provoke?.(run);
    await run.pass(12_000);
    expect(await run.stop()).toBeLessThanOrEqual(stopMs);
    hang.lift();
  });
});

describe("a source that starts", () => {
  it.each(startCells)(
    "shows the trouble and loses no record, and reads in time once a call answers: $name $fault",
    { timeout: 60_000 },
    async (cell) => {
      const begun = prepare(cell, { startTimeoutMs: 600_000 });
      const { run, hang } = begun;
      await using _ = run;
      hang.active = true;
      run.start();
      await loaded(run, () => hang.met);
      await run.pass(shownMs);
      expect(await troublesOf(run)).not.toEqual([]);
      await run.pass(faultMs - shownMs);
      await liftAndRecover(begun);
    },
  );

  it.each(startCells)(
    "stops in time although a call hangs: $name $fault",
    { timeout: 60_000 },
    async (cell) => {
      const { run, hang } = prepare(cell, { startTimeoutMs: 600_000 });
      await using _ = run;
      hang.active = true;
      run.start();
      await loaded(run, () => hang.met);
      await run.pass(2_000);
      expect(await run.stop()).toBeLessThanOrEqual(stopMs);
      hang.lift();
    },
  );
});

/** @returns how long it took, milliseconds. */
async function passUntil(run: TruthRun, condition: () => boolean, limitMs: number): Promise<number> {
  const began = run.clock.monotonic();
  while (!condition() && run.clock.monotonic() - began < limitMs) await run.pass(500);
  return run.clock.monotonic() - began;
}
