import { type Clock, systemClock } from "@pulsar-ts-io/core";
import type { AccountLedger } from "./account-ledger.ts";
import type { CallLine } from "./call-line.ts";
import { control } from "./control.ts";
import { KinesisFaults } from "./faults.ts";
import { KinesisModel } from "./kinesis-model.ts";
import { type HttpCall, startKinesisServer } from "./kinesis-server.ts";
import { KinesisService } from "./kinesis-service.ts";
import { sendOutcome } from "./send-outcome.ts";
import type { ShardLimits } from "./shard-limits.ts";
import { answerCall } from "./wire.ts";

export interface KinesisDoubleOptions {
  /** For arrival times, expiry, retention and slow answers; default the real one. */
  readonly clock?: Clock | undefined;
  /** How long streams are CREATING and UPDATING, milliseconds; default 0. */
  readonly transitionMs?: number | undefined;
  /** For faults with a probability, in [0, 1). */
  readonly random?: (() => number) | undefined;
}

/** A Kinesis that does what a test tells it to, and as much of CloudWatch and STS as a worker needs. */
export interface KinesisDouble extends AsyncDisposable {
  /** `http://127.0.0.1:…`, HTTP/1.1 and HTTP/2 with prior knowledge. Any credentials do; the region they are signed for keeps streams apart. */
  readonly endpoint: string;
  /** The streams: what is done here is seen at once. */
  readonly model: KinesisModel;
  readonly faults: KinesisFaults;
  readonly limits: ShardLimits;
  /** The metrics that were put, and the roles that were assumed. */
  readonly ledger: AccountLedger;
  /** Counts and remembers the calls. */
  readonly service: KinesisService;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** Starts the double on a port of the system's choice. */
export async function startKinesisDouble(options: KinesisDoubleOptions = {}): Promise<KinesisDouble> {
  const { clock = systemClock, transitionMs, random } = options;
  const model = new KinesisModel({ clock, transitionMs });
  const service = new KinesisService(model, new KinesisFaults(random));
  const server = await startKinesisServer((call, line) => serve(service, call, line));
  const close = () => server.close();
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    model,
    faults: service.faults,
    limits: service.limits,
    ledger: service.ledger,
    service,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(service: KinesisService, call: HttpCall, line: CallLine): Promise<void> {
  const { request, headers, body } = call;
  if (request.includes(" /_double/")) {
    const { status, value } = control(service, request, body);
    line.open({ status, headers: { "content-type": "application/json" } });
    line.write([Buffer.from(JSON.stringify(value))]);
    return line.end();
  }
  const text = (name: string) => (typeof headers[name] === "string" ? headers[name] : undefined);
  const wireCall = {
    target: text("x-amz-target"),
    authorization: text("authorization"),
    contentType: text("content-type"),
    contentEncoding: text("content-encoding"),
    userAgent: text("user-agent"),
    body,
  };
  await sendOutcome(await answerCall(service, wireCall, line.signal), line);
}
