import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@pulsar-ts-io/core";
import { startKinesisDouble, testContext } from "@pulsar-ts-io/testkit";
import { expect, it, vi } from "vitest";
import { describeWithStack, uniqueName } from "../../../test/stack.ts";
import { KinesisSource } from "../src/index.ts";
import { options } from "./kinesis-config.ts";

/** Shorter than a lease: each renewal of the credentials falls into the freeze. */
const credentialsMs = 15_000;
const frozenMs = 20_000;

describeWithStack("KinesisSource with an agent for its credentials", ({ dynamoEndpoint }) => {
  it("reads on within 15 s after the agent thaws, and loses no record", async () => {
    let frozen = false;
    const agent = createServer((_request, response) => {
      if (frozen) return;
      const Expiration = new Date(Date.now() + credentialsMs).toISOString();
      const body = { AccessKeyId: "ASIA", SecretAccessKey: "s", Token: "t", Expiration };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(body));
    });
    agent.listen(0, "127.0.0.1");
    await once(agent, "listening");
    const { port } = agent.address() as AddressInfo; // it listens on TCP
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `http://127.0.0.1:${port}/`);
    await using kinesis = await startKinesisDouble();
    const name = uniqueName("frozen");
    kinesis.model.createStream(name, 2, "us-east-1");
    const stream = kinesis.model.stream(name, "us-east-1");
    const stop = new AbortController();
    const source = new KinesisSource();
    const read = new Set<string>();
    let put = 0;
    const putting = setInterval(() => {
      const text = String(put);
      put += 1;
      const data = Buffer.from(text);
      stream.put({ partitionKey: text, data: data.toString("base64"), dataBytes: data.length }, Date.now());
    }, 100);
    const until = async (condition: () => boolean, ms: number) => {
      const end = performance.now() + ms;
      while (!condition() && performance.now() < end)
        await systemClock.sleep(50, new AbortController().signal);
      expect(condition()).toBe(true);
    };
    try {
      const config = options({
        awsRegion: "us-east-1",
        awsEndpoint: kinesis.endpoint,
        dynamoEndpoint,
        awsKinesisStreamName: name,
        applicationName: name,
        initialPositionInStream: "TRIM_HORIZON",
        useEnhancedFanOut: false,
        pollIdleTime: 200,
      });
      await source.open(config, testContext({ clock: systemClock, signal: stop.signal }));
      const reading = (async () => {
        for (;;) {
          const record = await source.read();
          read.add(Buffer.from(record.value).toString());
          record.ack();
        }
      })().catch((error: unknown) => error);
      await until(() => read.size > 50, 30_000);
      frozen = true;
      await systemClock.sleep(frozenMs, stop.signal);
      const before = put;
      frozen = false;
      await until(() => read.has(String(before)), 15_000);
      clearInterval(putting);
      await until(() => read.size === put, 15_000);
      stop.abort(new Error("stopped"));
      expect(await reading).toBe(stop.signal.reason);
    } finally {
      clearInterval(putting);
      await source.close();
      agent.closeAllConnections();
      agent.close();
      vi.unstubAllEnvs();
    }
  }, 120_000);
});
