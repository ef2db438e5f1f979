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
        operation === name && hang.meets() ? faultyCall(hang, send, signal) : send();
    },
    ...more,
  };
}

type Send = Parameters<TruthRun["onCall"]>[1];

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
    name: "Pulsar connect",
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
  {
    name: "Pulsar lookup",
    faults: ["never answers", "answers after the limit", "stalls in mid-body"],
    install: (run, hang) => {
      run.broker.answer("lookup", (fields, connection) => {
        if (!hang.meets()) return false;
        stall(hang, connection, () => run.broker.answerHonestly("lookup", fields, connection));
        return undefined;
      });
    },
    provoke: (run) => run.closeProducers(),
  },
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

const matrix = calls.flatMap((call) =>
  (call.faults ?? faults).map((fault) => ({ name: call.name, fault, call })),
);
/** In the quick tier each call meets two faults, another two for each. */
const cells = matrix.filter((_, index) => byTier({ quick: index % 3 === 0, long: true }));

describe("a running source", () => {
  beforeEach(() => {
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"]) vi.stubEnv(name, undefined);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** A source that has run for a while; `stored` has what the broker confirmed. */
  async function begin({ call, fault }: (typeof matrix)[number]) {
    const run = new TruthRun({ bounded: true, ...call.run }, new RecordingLogger());
    const stored = new Set<string>();
    const { onSend } = run.broker;
    run.broker.onSend = (send, connection) => {
      for (const { value } of send.messages) stored.add(Buffer.from(value).toString());
      onSend(send, connection);
    };
    const hang = new Hang(fault);
    call.install(run, hang);
    run.start();
    // The SDK loads parts of itself at its first calls, which takes real time and none of the run's.
    await vi.waitFor(() => run.pass(500).then(() => expect(stored.size).toBeGreaterThan(0)), {
      timeout: 20_000,
    });
    await run.pass(20_000);
    expect(await troublesOf(run)).toEqual([]);
    return { run, stored, hang };
  }

  async function troublesOf(run: TruthRun): Promise<readonly string[]> {
    const { status } = await run.look();
    return status.instances.flatMap(({ details }) => details.troubles.map(({ what }) => what));
  }

  it.each(cells)(
    "loses no record, shows the trouble and recovers in time when a call hangs: $name $fault",
    { timeout: 60_000 },
    async (cell) => {
      const { call } = cell;
      const { run, stored, hang } = await begin(cell);
      await using _ = run;
      hang.active = true;
      call.provoke?.(run);
      await passUntil(run, () => hang.met, longestUnneededMs);
      expect(hang.met).toBe(true);
      await run.pass(shownMs);
      expect(await troublesOf(run)).not.toEqual([]);
      await run.pass(faultMs - shownMs);
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

/** @returns how long it took, milliseconds. */
async function passUntil(run: TruthRun, condition: () => boolean, limitMs: number): Promise<number> {
  const began = run.clock.monotonic();
  while (!condition() && run.clock.monotonic() - began < limitMs) await run.pass(500);
  return run.clock.monotonic() - began;
}
