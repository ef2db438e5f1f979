import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { TopicLog } from "../../src/logging/topic-log.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

const topic = "persistent://public/default/log";

function start(transports: readonly (StepTransport | Error)[]) {
  const clock = new TestClock();
  const logger = new RecordingLogger();
  const left = [...transports];
  const connect = () => {
    const next = left.length > 1 ? left.shift() : left[0];
    return next instanceof StepTransport ? Promise.resolve(next) : Promise.reject(next);
  };
  const mask = (text: string) => text.replaceAll("hunter2", "***");
  const log = new TopicLog(connect, {
    topic,
    instanceId: 2,
    fqn: "public/default/test",
    mask,
    clock,
    logger,
  });
  const ended = log.run();
  return { clock, logger, log, ended };
}

function line(msg: string, more: object = {}): string {
  return `${JSON.stringify({ level: "info", time: "2026-01-01T00:00:00.000Z", ...more, msg })}\n`;
}

function sent(transport: StepTransport): unknown[] {
  return transport.unsettled.map(({ message }) => [
    Buffer.from(message.value).toString(),
    message.properties,
  ]);
}

describe("TopicLog", () => {
  it("publishes each line by itself, with Pulsar's properties, and no secret", async () => {
    const transport = new StepTransport();
    const { clock, log } = start([transport]);
    log.add(line("source opened, reading", { topic: "t" }));
    log.add(line("told", { level: "warn", err: { message: "with hunter2", code: "PIO_X" } }));
    await clock.settle();
    const properties = { instance: "2", fqn: "public/default/test" };
    expect(sent(transport)).toEqual([
      ["source opened, reading  topic=t", { ...properties, loglevel: "INFO" }],
      ["told: with *** [PIO_X]", { ...properties, loglevel: "WARN" }],
    ]);
    expect(transport.opened).toEqual([topic]);
  });

  it("publishes what is left at the end, for two seconds", async () => {
    const transport = new StepTransport();
    const { clock, log, ended } = start([transport]);
    await clock.settle();
    log.add(line("last"));
    log.end();
    await clock.settle();
    expect(sent(transport)).toHaveLength(1);
    await clock.advance(2_000);
    await ended;
    expect(transport.log).toContain("close transport");
  });

  it("never waits: a topic that is away costs lines beyond a thousand, and one line that says so", async () => {
    const transport = new StepTransport();
    const away = new TestPublishError("away");
    const { clock, log, logger } = start([away, away, transport]);
    for (let count = 0; count < 1_200; count += 1) log.add(line(`line ${count}`));
    await clock.advance(4_000);
    expect(sent(transport)).toHaveLength(1_000);
    expect(logger.messages("warn")).toEqual([
      "log topic not reachable",
      "log lines not published, the log topic was too slow",
    ]);
    expect(logger.lines.at(-1)?.fields).toMatchObject({ lines: 200 });
  });

  it("ends at once where it never reached the topic", async () => {
    const { clock, log, ended } = start([new TestPublishError("away")]);
    log.add(line("lost"));
    await clock.settle();
    log.end();
    await ended;
    expect(clock.sleepers).toBe(0);
  });
});
