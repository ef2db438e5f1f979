import type { SourceRecord } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { ListSource } from "../support/list-source.ts";
import { startInstance } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

const value = new Uint8Array(1);
const ack = () => undefined;

/** Hands out one thing, whatever it is. */
class ClaimingSource extends ListSource {
  readonly #claimed: unknown;

  constructor(claimed: unknown) {
    super([]);
    this.#claimed = claimed;
  }

  override read(): Promise<SourceRecord> {
    return Promise.resolve(this.#claimed as SourceRecord);
  }
}

describe("what a source returns", () => {
  it.each([
    { claimed: undefined, says: "undefined instead of a record" },
    { claimed: null, says: "null instead of a record" },
    { claimed: {}, says: "object instead of a record" },
    { claimed: { value: "text", ack }, says: "whose value is not a Uint8Array" },
    { claimed: { value }, says: "whose ack is not a function" },
    { claimed: { value, ack, fail: true }, says: "whose fail is not a function" },
    { claimed: { value, ack, key: 7 }, says: "whose key is not a string" },
    { claimed: { value, ack, key: null }, says: "whose key is not a string" },
    { claimed: { value, ack, destinationTopic: {} }, says: "whose destinationTopic is not a string" },
    { claimed: { value, ack, eventTime: "now" }, says: "whose eventTime is not a number" },
    { claimed: { value, ack, properties: "a=1" }, says: "whose properties are not an object" },
    { claimed: { value, ack, properties: { a: "1", b: 2 } }, says: "whose property b is not a string" },
  ])("ends the instance with one message when it is $claimed", async ({ claimed, says }) => {
    const transport = new StepTransport();
    const { clock, ended } = startInstance(new ClaimingSource(claimed), transport);
    await clock.settle();
    const error = { code: "PIO_SOURCE_CONTRACT", message: expect.stringContaining(says) };
    expect(await ended).toMatchObject({ cause: error });
  });
});
