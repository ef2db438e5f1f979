import type { SourceRecord } from "@pulsar-ts-io/core";
import { MessageRefusedError, MessageTooLargeError, TopicTerminatedError } from "@pulsar-ts-io/pulsar";
import { describe, expect, it } from "vitest";
import type { InstanceOptions } from "../../src/instance/instance-options.ts";
import { ListSource, type Settlement, TestRecord } from "../support/list-source.ts";
import { NumberedRecord } from "../support/numbered-record.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport, TestPublishError } from "../support/step-transport.ts";

const tooLarge = new MessageTooLargeError("a message has 9 bytes where the broker takes 5");
const skip: Partial<InstanceOptions> = { onRefused: { kind: "skip" } };
const letters = "persistent://public/default/letters";
const deadLetter: Partial<InstanceOptions> = { onRefused: { kind: "dead-letter", topic: letters } };
const guarantees = ["ATLEAST_ONCE", "EFFECTIVELY_ONCE", "ATMOST_ONCE", "MANUAL"] as const;

/** How the host settles a record that it is done with. */
function settled(guarantee: InstanceOptions["guarantee"]): readonly Settlement[] {
  return guarantee === "MANUAL" ? [] : ["acknowledged"];
}

describe("Instance that skips refused records", () => {
  it.each(guarantees)("passes over the one that is refused, with %s", async (guarantee) => {
    const [bad, good] = [new NumberedRecord("a", 1), new NumberedRecord("a", 2)];
    const transport = new StepTransport();
    const { clock, stop, ended, instance } = startInstance(new ListSource([bad, good]), transport, {
      ...skip,
      guarantee,
    });
    await clock.settle();
    transport.refuse(0, tooLarge);
    transport.confirm();
    expect([bad.settlements, good.settlements]).toEqual([settled(guarantee), settled(guarantee)]);
    expect(instance.snapshot()).toMatchObject({ failed: 1, skipped: 1, written: 1, inFlight: 0 });
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("says so at once, and then every ten seconds how many there were", async () => {
    const records = Array.from({ length: 6 }, (_, index) => new NumberedRecord("a", index));
    const transport = new StepTransport();
    const { clock, stop, ended, logger } = startInstance(new ListSource(records), transport, skip);
    await clock.settle();
    for (let index = 0; index < 5; index += 1) transport.refuse(0, tooLarge);
    await clock.advance(10_000);
    transport.refuse(0, tooLarge);
    const lines = logger.lines.filter(({ message }) => message === "record refused, and passed over");
    expect(lines.map(({ fields }) => [fields["partition"], fields["sequence"], fields["records"]])).toEqual([
      ["a", "0", 1],
      ["a", "5", 5],
    ]);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("fails as ever on what is not about one record", async () => {
    const record = new TestRecord("any");
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(new ListSource([record]), transport, skip);
    await clock.settle();
    transport.refuse(0, new TopicTerminatedError("the topic was terminated"));
    expect(record.settlements).toEqual(["failed"]);
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("ends on what every record would meet, with ATMOST_ONCE, too: else it would read the source empty for nothing", async () => {
    const record = new TestRecord("any");
    const transport = new StepTransport();
    const options = { guarantee: "ATMOST_ONCE" } as const;
    const { clock, ended } = startInstance(new ListSource([record]), transport, options);
    await clock.settle();
    transport.refuse(0, new TopicTerminatedError("the topic was terminated"));
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_TOPIC_TERMINATED" });
    expect(record.settlements).toEqual(["acknowledged"]);
  });

  it.each([skip, deadLetter])("ends rather than pass over what only shared a batch, %j", async (policy) => {
    const records = [new TestRecord("one"), new TestRecord("other")];
    const transport = new StepTransport();
    const { clock, ended, logger } = startInstance(new ListSource(records), transport, policy);
    await clock.settle();
    const refusal = new MessageRefusedError("not allowed", { details: { messages: 2 } });
    transport.refuse(0, refusal);
    transport.refuse(0, refusal);
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_BATCH_REFUSED" });
    expect(records.flatMap(({ settlements }) => settlements)).toEqual([]);
    expect(logger.lines.filter(({ level }) => level === "warn")).toEqual([]);
  });
});

describe("Instance with a dead-letter topic", () => {
  it.each(guarantees)(
    "publishes the refused record there, and settles it then, with %s",
    async (guarantee) => {
      const record = Object.assign(new NumberedRecord("a", 7), {
        key: "k",
        eventTime: 5,
        properties: { x: "y" },
      });
      const transport = new StepTransport();
      const source = new ListSource([record]);
      const { clock, stop, ended, instance } = startInstance(source, transport, { ...deadLetter, guarantee });
      await clock.settle();
      const before = [...record.settlements];
      transport.refuse(0, tooLarge);
      expect(transport.unsettled).toMatchObject([
        {
          topic: letters,
          producer: undefined,
          sequenceId: undefined,
          message: {
            value: record.value,
            key: "k",
            eventTime: 5,
            properties: {
              x: "y",
              "dead-letter.code": "PIO_MESSAGE_TOO_LARGE",
              "dead-letter.reason": tooLarge.message,
              "dead-letter.topic": topic,
              "dead-letter.partition": "a",
              "dead-letter.sequence": "7",
            },
          },
        },
      ]);
      expect(record.settlements).toEqual(before);
      expect(instance.snapshot()).toMatchObject({ failed: 1, deadLettered: 0, inFlight: 1 });
      transport.confirm();
      expect(record.settlements).toEqual(settled(guarantee));
      expect(instance.snapshot()).toMatchObject({ failed: 1, deadLettered: 1, written: 0, inFlight: 0 });
      stop.abort();
      expect(await ended).toBeUndefined();
      expect(transport.openPublishers).toBe(0);
    },
  );

  it("names the topic that the record itself named", async () => {
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(
      new ListSource([new TestRecord("a", "elsewhere")]),
      transport,
      deadLetter,
    );
    await clock.settle();
    transport.refuse(0, tooLarge);
    expect(transport.unsettled[0]?.message.properties).toMatchObject({ "dead-letter.topic": "elsewhere" });
    transport.confirm();
    stop.abort();
    expect(await ended).toBeUndefined();
  });

  it("opens nothing of the source when the dead-letter topic cannot be published to", async () => {
    const log: string[] = [];
    const refuse = new Map([[letters, new TestPublishError("no such tenant")]]);
    const { ended } = startInstance(new ListSource([], log), new StepTransport({ refuse }), deadLetter);
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_TEST_REFUSED" });
    expect(log).toEqual([]);
  });

  it("ends when the letter is refused, too, and acknowledges nothing", async () => {
    const record = new TestRecord("nobody takes it");
    const transport = new StepTransport();
    const { clock, ended } = startInstance(new ListSource([record]), transport, deadLetter);
    await clock.settle();
    transport.refuse(0, tooLarge);
    transport.refuse(0, tooLarge);
    expect(await ended).toMatchObject({ stage: "pulsar", code: "PIO_DEAD_LETTER_REFUSED" });
    expect(record.settlements).toEqual([]);
  });

  it("waits at its end for a letter that the last receipts made", async () => {
    const record = new TestRecord("late");
    const transport = new StepTransport();
    const { clock, stop, ended } = startInstance(new ListSource([record]), transport, deadLetter);
    await clock.settle();
    stop.abort();
    await clock.settle();
    transport.refuse(0, tooLarge);
    await clock.settle();
    expect(record.settlements).toEqual([]);
    transport.confirm();
    expect(await ended).toBeUndefined();
    expect(record.settlements).toEqual(["acknowledged"]);
  });

  it("reads no further than the dead-letter topic has room for", async () => {
    class Slow extends ListSource {
      override async read(): Promise<SourceRecord> {
        await new Promise(setImmediate);
        return await super.read();
      }
    }
    const records = Array.from({ length: 10 }, (_, index) => new TestRecord(`${index}`));
    const transport = new StepTransport({ windows: new Map([[letters, 2]]) });
    const source = new Slow(records);
    const { clock, stop, ended } = startInstance(source, transport, deadLetter);
    for (let rounds = 0; rounds < 200; rounds += 1) {
      await new Promise(setImmediate);
      const refused = transport.unsettled.findIndex((sent) => sent.topic === topic);
      if (refused >= 0) transport.refuse(refused, tooLarge);
    }
    // Two letters, and what was on its way when the second one came.
    expect(source.reads).toBeLessThanOrEqual(4);
    stop.abort();
    await clock.settle();
    for (let rounds = 0; rounds < 20; rounds += 1) {
      transport.confirm();
      await clock.settle();
    }
    expect(await ended).toBeUndefined();
    expect(records.filter(({ settlements }) => settlements.length > 0)).toHaveLength(source.reads);
  });
});

describe("Instance that ends over a refused record", () => {
  it.each([MessageTooLargeError, MessageRefusedError])(
    "names the record, its size, the limit and the ways out, and keeps the code: %o",
    async (Refusal) => {
      const transport = new StepTransport();
      const { clock, ended } = startInstance(
        new ListSource([Object.assign(new NumberedRecord("shard-7", 42), { key: "k", fail: undefined })]),
        transport,
      );
      await clock.settle();
      const refusal = new Refusal("a message has 9 bytes where the broker takes 5", {
        remedy: "raise the limit",
      });
      transport.refuse(0, refusal);
      const error = await ended;
      expect(error).toMatchObject({ stage: "pulsar", code: refusal.code });
      expect(String(error)).toMatch(
        /record \(partition shard-7, sequence 42, key "k", \d+ bytes\) was refused: a message has 9 bytes where the broker takes 5/,
      );
      expect(error).toHaveProperty(
        "remedy",
        expect.stringMatching(
          /^raise the limit; or .*--on-refused skip.*--on-refused dead-letter.*--producer-config$/,
        ),
      );
    },
  );

  it("names no record where a batch was refused, and nobody knows which one it was", async () => {
    const transport = new StepTransport();
    const { clock, ended } = startInstance(
      new ListSource([Object.assign(new NumberedRecord("a", 1), { fail: undefined })]),
      transport,
    );
    await clock.settle();
    transport.refuse(0, new MessageRefusedError("not allowed", { details: { messages: 2 } }));
    expect(String(await ended)).not.toContain("the record");
  });
});
