import { type Logger, silentMeter, silentTroubles } from "@pulsar-ts-io/core";
import { TopicLog } from "../logging/topic-log.ts";
import { secretMask } from "../observe/secret-mask.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import { createSourceLogger, type LogSettings } from "./source-logger.ts";
import { createTransport, type Destination, type TransportHost } from "./transport.ts";

/** What a log needs to know of its instance: plain data. */
export interface LogJob {
  readonly instance: {
    readonly instanceId: number;
    readonly tenant: string;
    readonly namespace: string;
    readonly name: string;
  };
  readonly destination: Destination;
  readonly broker: BrokerSettings;
  readonly log: LogSettings;
  /** Where its log goes, too; `undefined`: nowhere else. */
  readonly logTopic: string | undefined;
  /** Texts that no log shows. */
  readonly secrets: readonly string[];
}

export interface LogHost extends Omit<TransportHost, "troubles"> {
  /** Takes whole lines of its log, as JSON. */
  readonly write: (line: string) => void;
}

/** The log of one start of an instance. */
interface InstanceLog {
  readonly logger: Logger;
  /** Does `work`; whatever was logged until its end has been published then, or was given up. */
  around(work: () => Promise<void>): Promise<void>;
}

/** The host's log, and where the source asks for one a log topic beside it. Connects to nothing yet. */
export function openInstanceLog(job: LogJob, host: LogHost): InstanceLog {
  const { logTopic, instance, destination, broker, secrets } = job;
  if (logTopic === undefined) return { logger: host.logger, around: (work) => work() };
  const { clock, write } = host;
  const way = { ...destination, output: "pulsar" } as const;
  // Its outages are reported by the topic log as a whole.
  const quiet = { ...host, meter: silentMeter, troubles: silentTroubles };
  const topicLog = new TopicLog(() => createTransport(way, broker, quiet), {
    topic: logTopic,
    instanceId: instance.instanceId,
    fqn: `${instance.tenant}/${instance.namespace}/${instance.name}`,
    mask: secretMask(secrets),
    clock,
    logger: host.logger,
  });
  const logger = createSourceLogger(job.log, (line) => {
    write(line);
    topicLog.add(line);
  });
  return {
    logger,
    around: async (work) => {
      const publishing = topicLog.run();
      try {
        await work();
      } finally {
        topicLog.end();
        await publishing;
      }
    },
  };
}
