import { silentLogger } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { FakePulsarClient } from "../harness/fake-pulsar-client.ts";
import { liveBytes } from "../harness/live-memory.ts";
import { createNative, openNative, settled, topic } from "../harness/native-rig.ts";
import { never } from "../harness/wire.ts";

describe("the native transport", () => {
  it("forgets publishers that are closed", async () => {
    const native = new FakePulsarClient();
    const transport = await createNative(native, {}, { logger: silentLogger });
    const openMany = async () => {
      for (let index = 0; index < 2_000; index += 1)
        await (await transport.open(topic, defaultPublisherOptions, never)).close();
      native.producers.length = 0;
      native.closed.length = 0;
      return await liveBytes();
    };
    const before = await openMany();
    expect((await openMany()) - before).toBeLessThan(1_000_000);
    await transport.close();
  });

  it.each([
    ["ProducerBusy", "PIO_PRODUCER_BUSY"],
    ["ServiceUnitNotReady", "PIO_BROKER_REFUSED"],
    ["ConnectError", "PIO_PULSAR_UNREACHABLE"],
    ["TimeOut", "PIO_PULSAR_TIMEOUT"],
  ])("tries %s again while a producer is opened, and says so once", async (result, code) => {
    const clock = new TestClock();
    const logger = new RecordingLogger();
    const native = new FakePulsarClient();
    native.refuseProducers = [result, result, result];
    const transport = await createNative(native, {}, { clock, logger });
    const opening = transport.open(topic, defaultPublisherOptions, never);
    for (let turn = 0; turn < 50; turn += 1) await clock.advance(100);
    await opening;
    expect(native.producers).toHaveLength(4);
    expect(logger.lines.filter((line) => line.level === "warn")).toMatchObject([
      { fields: { err: { code } } },
    ]);
  });

  it.each([
    ["AuthenticationError", "PIO_PULSAR_AUTHENTICATION"],
    ["AuthorizationError", "PIO_PULSAR_AUTHORIZATION"],
    ["TopicNotFound", "PIO_TOPIC_NOT_FOUND"],
    ["InvalidTopicName", "PIO_INVALID_TOPIC_NAME"],
    ["IncompatibleSchema", "PIO_BROKER_REFUSED"],
    ["ResultProducerFenced", "PIO_PRODUCER_FENCED"],
    ["ErrorGettingAuthenticationData", "PIO_INVALID_AUTHENTICATION"],
    ["SomethingNew", "PIO_PUBLISH_DEFECT"],
  ])("gives up at once on %s, with a remedy", async (result, code) => {
    const native = new FakePulsarClient();
    native.refuseProducers = [result];
    await expect(openNative(native)).rejects.toMatchObject({
      code,
      remedy: expect.any(String),
      message: expect.stringContaining(topic),
    });
    expect(native.producers).toHaveLength(1);
  });

  it("closes a producer that comes after nobody waits for it any more", async () => {
    const native = new FakePulsarClient();
    let release = () => {};
    native.held = new Promise((resolve) => {
      release = resolve;
    });
    const transport = await createNative(native);
    const stop = new AbortController();
    const opening = transport.open(topic, defaultPublisherOptions, stop.signal);
    stop.abort(new Error("told to stop"));
    await expect(opening).rejects.toThrow("told to stop");
    release();
    await settled();
    expect(native.closed).toEqual([topic]);
  });

  it("brings the client's log to ours: its warnings and errors as warnings, the rest for those who debug", async () => {
    const logger = new RecordingLogger();
    const native = new FakePulsarClient();
    await createNative(native, {}, { logger });
    for (const level of [1, 2, 3]) native.clients[0]?.log?.(level, "ClientConnection", 485, `line ${level}`);
    expect(logger.lines.map(({ level, fields }) => [level, fields["at"], fields["text"]])).toEqual([
      ["debug", "ClientConnection:485", "line 1"],
      ["warn", "ClientConnection:485", "line 2"],
      ["warn", "ClientConnection:485", "line 3"],
    ]);
  });

  it.each([
    ["the package", "ERR_MODULE_NOT_FOUND", "npm install pulsar-client"],
    ["its library", "MODULE_NOT_FOUND", "npm rebuild pulsar-client"],
    ["a library for this machine", "ERR_DLOPEN_FAILED", "this very kind of machine"],
  ])("tells how to get %s where it is missing, and what does without", async (_, code, remedy) => {
    const load = () => Promise.reject(Object.assign(new Error("cannot load"), { code }));
    const error = await createNative(new FakePulsarClient(), {}, { load }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "PIO_NATIVE_CLIENT_MISSING",
      remedy: expect.stringContaining(remedy),
    });
    expect(error).toMatchObject({ remedy: expect.stringContaining("--pulsar-transport wire") });
  });
});
