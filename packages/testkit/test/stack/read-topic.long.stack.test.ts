import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { silentLogger, silentMeter, systemClock } from "@pulsar-ts-io/core";
import { createWireTransport, defaultPublisherOptions, type OutgoingMessage } from "@pulsar-ts-io/pulsar";
import { expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../../test/stack.ts";
import { PulsarAdmin, readTopic, readTopicToEnd } from "../../src/index.ts";

const never = new AbortController().signal;

describeWithStack("readTopic", (stack) => {
  const serviceUrl = stack.pulsarServiceUrl;

  async function publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const host = { clock: systemClock, logger: silentLogger, meter: silentMeter };
    const tls = { allowInsecure: false, hostnameVerification: true };
    await using transport = createWireTransport({ serviceUrl, tls }, host);
    const options = { ...defaultPublisherOptions, producerName: "tester" };
    const publisher = await transport.open(topic, options, never);
    const delivery = {
      stored() {},
      failed(error: Error) {
        throw error;
      },
    };
    for (const message of messages) publisher.send(message, delivery);
    await publisher.flush(never);
  }

  it("shows a message as it is stored, and ends by itself", async () => {
    const topic = uniqueTopic();
    const value = Uint8Array.from({ length: 256 }, (_, place) => place);
    await publish(topic, [{ value, key: "clé", eventTime: 12, properties: { a: "1" } }]);
    const [message, ...others] = await readTopicToEnd({ serviceUrl, topic, idleMs: 1 });
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      topic,
      partition: -1,
      producer: "tester",
      sequenceId: 0n,
      key: "clé",
      properties: { a: "1" },
      eventTime: 12,
      length: 256,
      sha256: createHash("sha256").update(value).digest("hex"),
    });
    expect(message?.value?.equals(value)).toBe(true);
  });

  it("reads every partition, hands long payloads over as a hash only, and stops after the count asked for", async () => {
    const topic = uniqueTopic();
    await new PulsarAdmin(stack.pulsarAdminUrl).createPartitionedTopic(topic, 3);
    const keys = Array.from({ length: 30 }, (_, place) => `key-${place + 10}`);
    await publish(
      topic,
      keys.map((key) => ({ key, value: Buffer.alloc(10) })),
    );
    const messages = await readTopicToEnd({ serviceUrl, topic, count: 30, idleMs: 0, bytesUpTo: 9 });
    expect(messages.map((message) => message.key).sort()).toEqual(keys);
    expect(new Set(messages.map((message) => message.partition))).toEqual(new Set([0, 1, 2]));
    expect(messages.every((message) => message.length === 10 && message.value === undefined)).toBe(true);
  });

  it("waits for messages that are yet to come, and ends when the caller breaks out", async () => {
    const topic = uniqueTopic();
    await publish(topic, [{ value: Buffer.from("first") }]);
    const seen: (string | undefined)[] = [];
    for await (const message of readTopic({ serviceUrl, topic, idleMs: 0 })) {
      seen.push(message.value?.toString());
      if (seen.length === 2) break;
      await publish(topic, [{ value: Buffer.from("second") }]);
    }
    expect(seen).toEqual(["first", "second"]);
  });

  it("says why a topic cannot be read", async () => {
    const read = readTopicToEnd({ serviceUrl, topic: "persistent://no-such-tenant/default/t", idleMs: 1 });
    await expect(read).rejects.toMatchObject({
      code: "PIO_STACK_REQUEST_FAILED",
      message: expect.stringMatching(/no-such-tenant/),
    });
  });

  it("leaves no Java behind when the program that reads is killed", async () => {
    const topic = uniqueTopic();
    await publish(topic, [{ value: Uint8Array.of(1) }]);
    const program = fileURLToPath(new URL("./read-topic-program.ts", import.meta.url));
    const args = ["--import", "tsx", "--conditions=@pulsar-ts-io/source", program, serviceUrl, topic];
    const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(createInterface({ input: parent.stdout }), "line");
    expect(readersOf(topic)).toBe(1);
    parent.kill("SIGKILL");
    await expect.poll(() => readersOf(topic), { timeout: 30_000 }).toBe(0);
  });
});

/** How many Java processes read `topic`. */
function readersOf(topic: string): number {
  const commandLines = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return commandLines.filter((line) => line.includes(" ReadBack ") && line.includes(topic)).length;
}
