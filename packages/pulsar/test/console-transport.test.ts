import { Writable } from "node:stream";
import { codeOf } from "@pulsar-ts-io/core";
import { describe, expect, it, vi } from "vitest";
import { ConsoleTransport, defaultPublisherOptions, type OutgoingMessage } from "../src/index.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never } from "./harness/wire.ts";

/** A stream that takes one chunk at a time, when it is told to. */
class SlowStream extends Writable {
  text = "";
  readonly #waiting: (() => void)[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#waiting.push(done);
  }

  take(): void {
    this.#waiting.shift()?.();
  }
}

async function printed(message: OutgoingMessage): Promise<string> {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  await using transport = new ConsoleTransport(stream);
  const publisher = await transport.open("t", defaultPublisherOptions, never);
  const deliveries = new Deliveries();
  deliveries.send(publisher, message);
  await publisher.flush(never);
  expect(deliveries.stored).toHaveLength(1);
  return text;
}

describe("the console transport", () => {
  it("prints a message as the documents show it", async () => {
    const message = {
      value: Buffer.from("test-kinesis-data"),
      key: "myPartitionKey",
      properties: { a: "b", c: "d" },
    };
    expect(await printed(message)).toBe(
      "----- got message -----\nkey:[myPartitionKey], properties:[a=b, c=d], content:test-kinesis-data\n",
    );
  });

  it("prints a message without key and properties as pulsar-client does", async () => {
    expect(await printed({ value: Buffer.from('日本 {"a":"\\\\"}') })).toBe(
      '----- got message -----\nkey:[null], properties:[], content:日本 {"a":"\\\\"}\n',
    );
  });

  it("lets no record touch the terminal or look like another", async () => {
    const evil = "\u001b[2J\n----- got message -----\r\t\u0007\u009b\u202e\u2028";
    const text = await printed({ value: Buffer.from(evil), key: evil, properties: { [evil]: evil } });
    expect(text.split("\n")).toHaveLength(3);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
    expect(text).toContain("content:\\x1b[2J\\n----- got message -----\\r\\t\\x07\\x9b\\u202e\\u2028\n");
  });

  it("shows bytes that are no text as what they are", async () => {
    expect(await printed({ value: Buffer.from([0x61, 0xff, 0x00, 0xc3]) })).toContain(
      "content:a\\xff\\x00\\xc3\n",
    );
  });

  it("takes a message for stored when the stream has taken it, and says when it is full", async () => {
    const stream = new SlowStream({ highWaterMark: 1 });
    await using transport = new ConsoleTransport(stream);
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("a") });
    expect(publisher.full).toBe(true);
    const room = publisher.room(never);
    expect(deliveries.settled).toBe(0);
    stream.take();
    await room;
    expect(publisher.full).toBe(false);
    expect(deliveries.stored).toHaveLength(1);
    const stop = new AbortController();
    deliveries.send(publisher, { value: Buffer.from("b") });
    const flushing = publisher.flush(stop.signal);
    const waiting = publisher.room(stop.signal);
    stop.abort(new Error("enough"));
    await expect(flushing).rejects.toThrow("enough");
    await expect(waiting).rejects.toThrow("enough");
  });

  it("fails what is left when its reader goes away, and everything after", async () => {
    const stream = new SlowStream();
    await using transport = new ConsoleTransport(stream);
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("a") });
    stream.destroy(new Error("EPIPE"));
    await publisher.flush(never);
    deliveries.send(publisher, { value: Buffer.from("b") });
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_CONSOLE_CLOSED" });
    expect(deliveries.failed.map(codeOf)).toEqual(["PIO_CONSOLE_CLOSED", "PIO_CONSOLE_CLOSED"]);
  });

  it("serves many topics without a word from Node about listeners, and ends them all with their reader", async () => {
    const warnings = vi.spyOn(process, "emitWarning");
    const stream = new SlowStream();
    await using transport = new ConsoleTransport(stream);
    const deliveries = new Deliveries();
    for (let index = 0; index < 20; index += 1) {
      const publisher = await transport.open(`t-${index}`, defaultPublisherOptions, never);
      deliveries.send(publisher, { value: Buffer.from("x") });
    }
    stream.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(deliveries.failed.map(codeOf)).toEqual(Array(20).fill("PIO_CONSOLE_CLOSED"));
    expect(warnings).not.toHaveBeenCalled();
    warnings.mockRestore();
  });

  it("leaves the stream open and no listener on it", async () => {
    const stream = new SlowStream();
    const transport = new ConsoleTransport(stream);
    const publisher = await transport.open("t", defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("a") });
    await transport.close();
    expect(deliveries.failed.map(codeOf)).toEqual(["PIO_PUBLISHER_CLOSED"]);
    expect(stream.destroyed).toBe(false);
    expect(stream.listenerCount("error") + stream.listenerCount("close")).toBe(0);
  });

  it("refuses a topic that has no proper name", async () => {
    await using transport = new ConsoleTransport(new SlowStream());
    await expect(transport.open("a/b", defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_INVALID_TOPIC_NAME",
    });
  });
});
