import { AwsUnreachableError } from "../../packages/kinesis-consumer/src/errors.ts";
import type { TruthRun, TruthRunOptions } from "./truth-run.ts";

/** What every surface has to show thirty seconds after a fault began; thirty seconds after its end, all is as in {@link well}. */
export interface Shown {
  /** The line in the log that names the fault; `undefined`: none is needed. */
  readonly log: string | undefined;
  readonly health: 200 | 503;
  readonly ready: 200 | 503;
  /** Of each instance, in `/status`. */
  readonly states: readonly string[];
  /** What fails, by `details.troubles`, the page's *Failing now* and `pulsar_ts_io_trouble_seconds`. */
  readonly troubles: readonly string[];
  /** Part of the last of `latestSystemExceptions`; `undefined`: there is none. */
  readonly exception: string | undefined;
  /** The page's state. */
  readonly page: string;
  /** The page's lag: `known` or `unknown`. */
  readonly lag: "known" | "unknown";
  /** `pulsar_ts_io_ready` of each instance. */
  readonly readySeries: readonly (0 | 1)[];
  /** What fires when the fault has lasted for six minutes. */
  readonly alerts: readonly string[];
}

/** A fault, how it begins and ends in a run, and what has to be seen of it. */
export interface Fault {
  readonly name: string;
  readonly run?: TruthRunOptions;
  readonly begin: (run: TruthRun) => void | Promise<void>;
  /** Absent: it does not end by itself. */
  readonly end?: (run: TruthRun) => void;
  readonly shown: Shown;
}

/** What is shown of a source that is well. */
export const well: Shown = {
  log: undefined,
  health: 200,
  ready: 200,
  states: ["running"],
  troubles: [],
  exception: undefined,
  page: "running",
  lag: "known",
  readySeries: [1],
  alerts: [],
};

const always = { count: Number.POSITIVE_INFINITY };

const blockedAlerts = ["PulsarSourceBlocked", "PulsarSourceNotReady", "PulsarSourceStalled"];

/** No record moves, and the source waits for the end of it. */
function blocked(what: string, exception: string, more: Partial<Shown> = {}): Shown {
  return {
    ...well,
    log: `${what} failing, retrying`,
    ready: 503,
    troubles: [what],
    exception,
    page: "stalled",
    readySeries: [0],
    alerts: blockedAlerts,
    ...more,
  };
}

/** The same for what keeps records from being published. */
function unpublished(exception: string, what = "publishing to Pulsar"): Shown {
  return blocked(what, exception, { alerts: [...blockedAlerts, "PulsarSourceNoReceipts"] });
}

export const faults: readonly Fault[] = [
  {
    name: "lease table (DynamoDB) away",
    begin: (run) => {
      run.table.before = () => {
        throw new AwsUnreachableError("DynamoDB could not be reached: connect ECONNREFUSED", {
          remedy: "check the network's way to DynamoDB",
        });
      };
    },
    end: (run) => {
      run.table.before = () => {};
    },
    shown: blocked("lease table", "DynamoDB could not be reached", {
      lag: "unknown",
      alerts: [...blockedAlerts, "PulsarSourceCheckpointsFail", "PulsarSourceNoLease"],
    }),
  },
  {
    name: "Kinesis away",
    begin: (run) => void run.kinesis.faults.reset("*", always),
    end: (run) => run.kinesis.faults.clear(),
    shown: blocked("reading from Kinesis", "cannot be reached", {
      troubles: ["reading from Kinesis", "list of shards"],
    }),
  },
  {
    name: "Kinesis throttles every read",
    begin: (run) => void run.kinesis.faults.throttle("GetRecords", always),
    end: (run) => run.kinesis.faults.clear(),
    shown: blocked("shard readers", "Kinesis throttles most calls"),
  },
  {
    name: "broker away",
    begin: (run) => {
      run.brokerAway = true;
      run.cut();
    },
    end: (run) => {
      run.brokerAway = false;
    },
    shown: unpublished("nothing listens"),
  },
  {
    name: "broker slow: it confirms nothing",
    begin: (run) => {
      run.broker.onSend = () => {};
    },
    end: (run) => confirmAll(run),
    shown: unpublished("not confirmed", "receipts from Pulsar"),
  },
  {
    name: "topic terminated",
    begin: (run) => {
      run.broker.onSend = ({ producerId, sequenceId }, connection) =>
        connection.tell("sendError", {
          producerId,
          sequenceId,
          error: 15,
          message: "Topic was already terminated",
        });
    },
    shown: {
      ...well,
      log: "producer failed for good",
      health: 503,
      ready: 503,
      states: ["failed"],
      troubles: ["running the instance"],
      exception: "terminated",
      page: "failed",
      lag: "unknown",
      readySeries: [0],
      alerts: ["PulsarSourceBlocked", "PulsarSourceDown"],
    },
  },
  {
    name: "topic deleted, and not created again",
    begin: (run) => {
      run.broker.answer("lookup", ({ requestId }, connection) =>
        connection.tell("lookupResponse", { requestId, response: 2, error: 11, message: "Topic not found" }),
      );
      run.closeProducers();
    },
    end: (run) => run.broker.answer("lookup", () => false),
    shown: blocked("publishing to Pulsar", "opic", {
      alerts: ["PulsarSourceBlocked", "PulsarSourceDown", "PulsarSourceRestarting"],
    }),
  },
  {
    name: "the broker's limit of connections",
    begin: (run) => {
      run.broker.answer("connect", (_, connection) => {
        connection.tell("error", {
          requestId: -1,
          error: 22,
          message: "Reached the maximum number of connections",
        });
        connection.socket.end();
      });
      run.cut();
    },
    end: (run) => run.broker.answer("connect", () => false),
    shown: unpublished("Reached the maximum number of connections"),
  },
  {
    name: "the topic's limit of producers",
    begin: (run) => {
      run.broker.answer("producer", ({ requestId }, connection) =>
        connection.tell("error", { requestId, error: 16, message: "Topic reached max producers limit" }),
      );
      run.closeProducers();
    },
    end: (run) => run.broker.answer("producer", () => false),
    shown: unpublished("Topic reached max producers limit"),
  },
  {
    name: "token expired",
    begin: (run) => {
      run.broker.answer("connect", (_, connection) => {
        connection.tell("error", {
          requestId: -1,
          error: 3,
          message: "Failed to authentication token: JWT expired",
        });
        connection.socket.end();
      });
      run.cut();
    },
    end: (run) => run.broker.answer("connect", () => false),
    shown: unpublished("JWT expired"),
  },
  {
    name: "one of two instances killed",
    run: { instances: 2 },
    begin: async (run) => {
      run.broker.onSend = () => {};
      await run.pass(3_000);
      run.children[1]?.kill();
      run.children[1]?.signal.abort(new Error("killed"));
      confirmAll(run);
    },
    shown: {
      ...well,
      log: "instance failed, it is started again after a pause",
      states: ["running", "running"],
      readySeries: [1, 1],
      exception: "SIGKILL",
      alerts: ["PulsarSourceRecordsAbandoned"],
    },
  },
  {
    name: "disk full (state store)",
    run: { connector: "data-generator" },
    begin: (run) => {
      run.disk.full = true;
    },
    end: (run) => {
      run.disk.full = false;
    },
    shown: {
      ...well,
      log: "storing positions failing, retrying",
      troubles: ["storing positions"],
      exception: "no space left on device",
      lag: "unknown",
    },
  },
  {
    name: "the wall clock jumps ahead by an hour",
    begin: (run) => run.clock.setWallClock(run.clock.now() + 3_600_000),
    shown: well,
  },
  {
    name: "no shard for one of two instances",
    run: { instances: 2, shards: 1 },
    begin: () => {},
    shown: { ...well, states: ["running", "running"], readySeries: [1, 1] },
  },
];

function confirmAll(run: TruthRun): void {
  let entryId = 0n;
  run.broker.onSend = (send, connection) => connection.receipt(send, { ledgerId: 2n, entryId: entryId++ });
  // What was sent before is sent again over a new connection.
  run.cut();
}
