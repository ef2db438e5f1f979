import { type Logger, silentMeter } from "@pulsar-ts-io/core";
import { TopicLog } from "../logging/topic-log.ts";
import { secretMask } from "../observe/secret-mask.ts";
import type { InstanceJob, JobHost } from "./instance-job.ts";
import { createSourceLogger } from "./source-logger.ts";
import { createTransport } from "./transport.ts";

/** The log of one start of an instance. */
interface InstanceLog {
  readonly logger: Logger;
  /** Does `work`; whatever was logged until its end has been published then, or was given up. */
  around(work: () => Promise<void>): Promise<void>;
}

/** The host's log, and where the source asks for one a log topic beside it. Connects to nothing yet. */
export function openInstanceLog(job: InstanceJob, host: JobHost): InstanceLog {
  const { logTopic, instance, destination, broker, secrets } = job;
  if (logTopic === undefined) return { logger: host.logger, around: (work) => work() };
  const { clock, write } = host;
  const way = { ...destination, output: "pulsar" } as const;
  const topicLog = new TopicLog(() => createTransport(way, broker, { ...host, meter: silentMeter }), {
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
