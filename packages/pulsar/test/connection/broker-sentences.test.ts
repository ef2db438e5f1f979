import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokerSentences, meaningOf } from "../../src/connection/broker-sentences.ts";
import { brokerError } from "../../src/connection/server-error.ts";

const sentences = brokerSentences.filter(({ text }) => text !== "…");

/** Names that users may choose, and that sound like what a broker says. */
const name = fc.oneof(
  fc.constantFrom(
    "encrypt",
    "encryption-required",
    "namespace",
    "maximum",
    "quota",
    "deleted",
    "terminated",
    "existing exclusive producer: x",
    "public/encrypt/0x00000000_0xffffffff",
    "persistent://namespace/Messages must be encrypted/t",
    "java.lang.Exception: x",
    "",
  ),
  fc.constantFrom(...sentences.map(({ text }) => text)),
  fc
    .tuple(fc.constantFrom(...sentences.flatMap(({ text }) => text.split("…"))), fc.string())
    .map(([one, other]) => one + other),
  fc.string({ maxLength: 40 }),
);

/** What a broker says with `names` in place of the `…` of `text`. */
function say(text: string, names: readonly string[]): string {
  return text.split("…").reduce((said, part, index) => said + (names[index - 1] ?? "x") + part);
}

const kindOf = (code: number, said: string) => meaningOf("request", code, said)?.kind;

describe("what a broker's sentence means", () => {
  it.each(brokerSentences)("is the same whatever names stand in it: $code $text", ({ code, text }) => {
    const expected = kindOf(code, text);
    expect(expected).toBeDefined();
    fc.assert(
      fc.property(fc.array(name, { minLength: 3, maxLength: 3 }), (names) => {
        expect(kindOf(code, say(text, names))).toBe(expected);
        const wrapped = `org.apache.pulsar.broker.service.BrokerServiceException$NotAllowedException: ${say(text, names)}`;
        expect(kindOf(code, wrapped)).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });

  it("is found in no sentence that only names contain", () => {
    // What broker 4.0.7 says for other reasons under codes that have sentences of their own.
    const others: readonly (readonly [number, string])[] = [
      [1, "Namespace bundle … is being unloaded"],
      [1, "Namespace bundle (…) for topic (…) not served by this instance:…. Please redo the lookup."],
      [1, "Failed to get partition metadata"],
      [6, "Namespace is being unloaded, cannot add topic …"],
      [
        6,
        "Topic creation encountered an exception by initialize topic policies service. topic_name=… error_message=…",
      ],
      [11, "Topic not found …"],
      [18, "Incompatible schema: exists schema type …, new schema type …"],
      [22, "Can not create transaction system topic …"],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...others),
        fc.array(name, { minLength: 3, maxLength: 3 }),
        ([code, text], names) => {
          expect(kindOf(code, say(text, names))).toBeUndefined();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("waits for the unload of a bundle in a namespace whose name contains encrypt", () => {
    const message = "Namespace bundle acme/encrypted/0x00000000_0xffffffff is being unloaded";
    const error = brokerError({ error: 1, message }, "the lookup of persistent://acme/encrypted/t");
    expect(error).toMatchObject({ code: "PIO_BROKER_REFUSED", retryable: true });
    expect(remedyOf(error)).not.toContain("encryption");
  });

  it.each([
    [22, "Reached the maximum number of connections", "brokerMaxConnections"],
    [22, "Reached the maximum number of connections on address/10.0.0.7:51234", "brokerMaxConnectionsPerIp"],
    [22, "Too many connections for this role", "brokerMaxConnections"],
  ])("is a limit that passes when CONNECT is refused with %i %s", (error, message, setting) => {
    expect(brokerError({ error, message }, "the connection to b", "connect")).toMatchObject({
      code: "PIO_BROKER_LIMIT",
      retryable: true,
      details: { setting },
      remedy: expect.stringContaining(setting),
    });
  });

  it.each([
    [22, "Exceed maximum number of topics in namespace.", "maxTopicsPerNamespace"],
    [6, "Exceed maximum number of topics in namespace.", "maxTopicsPerNamespace"],
    [
      16,
      "org.apache.pulsar.broker.service.BrokerServiceException$ProducerBusyException: Topic 'persistent://a/b/c' reached max same address producers limit",
      "maxSameAddressProducersPerTopic",
    ],
    [16, "Topic 'persistent://a/b/c' reached max producers limit", "maxProducersPerTopic"],
    [14, "Failed due to too many pending lookup requests", "maxConcurrentLookupRequest"],
    [7, "org.x.TopicBacklogQuotaExceededException: Cannot create producer", "backlogQuota"],
  ])("is a limit that passes when a request is refused with %i %s", (error, message, setting) => {
    expect(brokerError({ error, message }, "the producer for t")).toMatchObject({
      code: "PIO_BROKER_LIMIT",
      retryable: true,
      details: { setting },
    });
  });

  it("is another error for a name that is taken than for a limit of producers", () => {
    const message = "Producer with name 'a' is already connected to topic 'persistent://a/b/c'";
    expect(brokerError({ error: 16, message }, "the producer for t")).toMatchObject({
      code: "PIO_PRODUCER_BUSY",
      details: { nameTaken: true },
      remedy: expect.stringContaining("of that name"),
    });
  });

  it.each([
    [1, "Encryption is required in persistent://a/b/c", "native transport"],
    [
      18,
      "Producers cannot connect or send message without a schema to topics with a schemawhen SchemaValidationEnforced is enabled",
      "set-schema-validation-enforce --disable",
    ],
    [18, "Schema not found and schema auto updating is disabled.", "set-is-allow-auto-update-schema"],
    [22, "Broker is unable to load persistent topic", "enablePersistentTopics"],
  ])("stays final with a remedy of its own for %i %s", (error, message, remedy) => {
    const failure = brokerError({ error, message }, "the producer for t");
    expect(failure).toMatchObject({ code: "PIO_BROKER_REFUSED", retryable: false });
    expect(remedyOf(failure)).toContain(remedy);
  });

  it("stays final for what is not allowed and not known", () => {
    expect(
      brokerError({ error: 22, message: "no quota, maximum reached" }, "the producer for t"),
    ).toMatchObject({
      code: "PIO_BROKER_REFUSED",
      retryable: false,
    });
  });

  it.each([
    ["Tenant or namespace or topic does not exist: a/b", "namespace"],
    ["Topic not found persistent://a/namespace/t", "create the topic first"],
  ])("advises by the broker's words alone: %s", (message, remedy) => {
    const error = brokerError({ error: 11, message }, "topic t");
    expect(codeOf(error)).toBe("PIO_TOPIC_NOT_FOUND");
    expect(remedyOf(error)).toContain(remedy);
  });
});
