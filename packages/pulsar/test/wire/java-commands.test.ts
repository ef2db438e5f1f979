import { describe, expect, it } from "vitest";
import type { CommandName, Commands } from "../../src/wire/command-types.ts";
import { decodeCommand, encodeCommand, splitCommand } from "../../src/wire/commands.ts";

const bytes = (text: string) => Buffer.from(text);

/** Every field that we send or look at, and the BaseCommand that Pulsar 4.0.7's own classes write of it. */
const written: { readonly [N in CommandName]?: readonly [fields: Commands[N], hex: string] } = {
  connect: [
    {
      clientVersion: "x",
      authData: bytes(""),
      protocolVersion: 21,
      authMethodName: "none",
      proxyToBrokerUrl: "b:1",
      featureFlags: { supportsAuthRefresh: true },
    },
    "080212160a01781a0020152a046e6f6e653203623a3152020801",
  ],
  connected: [
    {
      serverVersion: "s",
      protocolVersion: 21,
      maxMessageSize: 1_048_576,
      featureFlags: { supportsTopicWatchers: true },
    },
    "08031a0d0a017310151880804022022001",
  ],
  producer: [
    {
      topic: "t",
      producerId: 1,
      requestId: 2,
      producerName: "n",
      metadata: [{ key: "k", value: "v" }],
      schema: { name: "JSON", data: bytes("{}"), type: 2, properties: [{ key: "a", value: "b" }] },
      epoch: 4,
      userProvidedProducerName: false,
      accessMode: 1,
      topicEpoch: 5,
    },
    "08052a300a01741001180222016e32060a016b1201763a140a044a534f4e1a027b7d20022a060a01611201624004480050015805",
  ],
  producerSuccess: [
    {
      requestId: 2,
      producerName: "n",
      lastSequenceId: -1,
      schemaVersion: Buffer.from([0, 1]),
      topicEpoch: 3,
      producerReady: false,
    },
    "08118a0118080212016e18ffffffffffffffffff012202000128033000",
  ],
  sendError: [{ producerId: 1, sequenceId: 7, error: 9, message: "no" }, "0808420a08011007180922026e6f"],
  success: [{ requestId: 5 }, "080d6a020805"],
  error: [{ requestId: -1, error: 3, message: "no" }, "080e721108ffffffffffffffffff0110031a026e6f"],
  closeProducer: [
    {
      producerId: 1,
      requestId: -1,
      brokerServiceUrl: "pulsar://b:1",
      brokerServiceUrlTls: "pulsar+ssl://b:2",
    },
    "080f7a2d080110ffffffffffffffffff011a0c70756c7361723a2f2f623a31221070756c7361722b73736c3a2f2f623a32",
  ],
  closeConsumer: [{ consumerId: 1, requestId: 2 }, "081082010408011002"],
  topicMigrated: [
    {
      resourceId: 1,
      resourceType: 0,
      brokerServiceUrl: "pulsar://b:1",
      brokerServiceUrlTls: "pulsar+ssl://b:2",
    },
    "0844a20424080110001a0c70756c7361723a2f2f623a31221070756c7361722b73736c3a2f2f623a32",
  ],
  partitionedMetadata: [{ topic: "t", requestId: 2, autoCreate: false }, "0815aa01070a017410023000"],
  partitionedMetadataResponse: [
    { partitions: 3, requestId: 2, response: 1, error: 11, message: "no" },
    "0816b2010c080310021801200b2a026e6f",
  ],
  lookup: [
    { topic: "t", requestId: 2, authoritative: true, listenerName: "l" },
    "0817ba010a0a0174100218013a016c",
  ],
  lookupResponse: [
    {
      brokerServiceUrl: "pulsar://b:1",
      brokerServiceUrlTls: "pulsar+ssl://b:2",
      response: 1,
      requestId: 2,
      authoritative: true,
      error: 6,
      message: "no",
      proxyThroughServiceUrl: true,
    },
    "0818c2012e0a0c70756c7361723a2f2f623a31121070756c7361722b73736c3a2f2f623a3218012002280130063a026e6f4001",
  ],
  authChallenge: [
    {
      serverVersion: "s",
      challenge: { method: "token", data: bytes("PulsarAuthRefresh") },
      protocolVersion: 21,
    },
    "0824a202210a0173121a0a05746f6b656e121150756c73617241757468526566726573681815",
  ],
  authResponse: [
    { clientVersion: "x", response: { method: "token", data: bytes("abc") }, protocolVersion: 21 },
    "0825aa02130a0178120c0a05746f6b656e12036162631815",
  ],
};

describe("a command that Java's own classes write", () => {
  // The broker of most tests reads and writes by our own tables: a wrong number would be wrong on both sides there.
  it.each(Object.entries(written))("is read and written alike: %s", (name, [fields, hex]) => {
    const read = decodeCommand(splitCommand(Buffer.from(hex, "hex")));
    expect(read).toEqual({ name, fields });
    const frame = encodeCommand(name as CommandName, fields as Commands[CommandName]); // the pair of one entry
    expect(frame.subarray(8).toString("hex")).toBe(hex);
  });
});
