import { deflateSync } from "node:zlib";
import { encodeCommand, splitCommand } from "../../src/wire/commands.ts";

/** A frame in its parts, for whoever takes them apart. */
export interface FrameParts {
  readonly command: Buffer;
  /** Metadata of the entry that follows the command; absent: nothing follows. */
  readonly metadata?: Buffer | undefined;
  readonly payload?: Buffer | undefined;
}

/** Written by Pulsar 4.0.7's own Commands class, or for it: what a broker sends, and what it is sent. */
const golden = [
  "00000009000000050812920100",
  "000000090000000508139a0100",
  "00000025000000210802121d0a01781a0361626320152a05746f6b656e520a08011001180128013001",
  "000000380000003408052a300a1d70657273697374656e743a2f2f7075626c69632f64656661756c742f741001180222016e28004000480150006000",
  "0000002f0000002b08073a27080110071a1608ffffffffffffffffff0110ffffffffffffffffff0120ffffffffffffffffff01",
  "0000001500000011080f7a0d080110ffffffffffffffffff01",
];
const goldenEntries = [
  "000000340000000808063204080110000e018bb2a7ef000000190a017010001880d095ffbc3122060a016112016232016b480568656c6c6f",
  "0000004f0000000c0806320808011007180230080e01b8fba04b000000170a017010071880d095ffbc3132016b5802880100c001080000000912016b18023000400776300000000912016b1802300040087631",
];

const url = "pulsar://broker-1.example:6650";
const urlTls = "pulsar+ssl://broker-1.example:6651";
const bothUrls = { brokerServiceUrl: url, brokerServiceUrlTls: urlTls };

/** One of each command that a broker sends, with every field that we know. */
const commands: readonly Buffer[] = [
  encodeCommand("connected", {
    serverVersion: "Pulsar Server4.0.7",
    protocolVersion: 21,
    maxMessageSize: 1_048_576,
    featureFlags: { supportsTopicWatchers: true, supportsPartitionsWithoutAutoCreation: true },
  }),
  encodeCommand("success", { requestId: 3 }),
  encodeCommand("error", { requestId: 3, error: 6, message: "not ready\n\tat java.lang.Thread" }),
  encodeCommand("error", { requestId: -1, error: 3, message: "who are you" }),
  encodeCommand("sendError", { producerId: 1, sequenceId: 9, error: 22, message: "too large" }),
  encodeCommand("producerSuccess", {
    requestId: 1,
    producerName: "standalone-1-7",
    lastSequenceId: -1,
    schemaVersion: Buffer.alloc(8, 1),
    topicEpoch: 4,
    producerReady: true,
  }),
  encodeCommand("partitionedMetadataResponse", { partitions: 3, requestId: 2, response: 0, message: "m" }),
  encodeCommand("lookupResponse", {
    ...bothUrls,
    response: 1,
    requestId: 4,
    authoritative: true,
    message: "",
    proxyThroughServiceUrl: false,
  }),
  encodeCommand("closeProducer", { producerId: 1, requestId: -1, ...bothUrls }),
  encodeCommand("closeConsumer", { consumerId: 1, requestId: -1 }),
  encodeCommand("authChallenge", {
    serverVersion: "4.0.7",
    challenge: { method: "token", data: Buffer.from("PulsarAuthRefresh") },
    protocolVersion: 21,
  }),
  encodeCommand("topicMigrated", { resourceId: 1, resourceType: 0, ...bothUrls }),
];

/** Frames to begin with: what the broker itself wrote, each of its commands, and messages in every form. */
export function frameSeeds(): readonly FrameParts[] {
  const message = commandOf(
    encodeCommand("message", {
      consumerId: 1,
      messageId: { ledgerId: 7n, entryId: 2n ** 40n, partition: 2, batchIndex: 3 },
    }),
  );
  const entries = goldenEntries.map((hex) => splitEntryFrame(Buffer.from(hex, "hex")));
  return [
    ...golden.map((hex) => ({ command: commandOf(Buffer.from(hex, "hex")) })),
    ...commands.map((frame) => ({ command: commandOf(frame) })),
    ...[...entries, ...entries.map(compressed)].map((entry) => ({ ...entry, command: message })),
  ];
}

/** The same entry with its payload compressed: ZLIB, and the size it had. */
function compressed({
  metadata = Buffer.alloc(0),
  payload = Buffer.alloc(0),
  command,
}: FrameParts): FrameParts {
  // A field that comes again counts: what the entry said of its size before is void. All of them are below 128 bytes.
  const fields = Buffer.from([0x40, 0x02, 0x48, payload.length]);
  return { command, metadata: Buffer.concat([metadata, fields]), payload: deflateSync(payload) };
}

function commandOf(frame: Buffer): Buffer {
  const command = frame.subarray(8, 8 + frame.readUInt32BE(4));
  splitCommand(command); // a seed that is none would only exercise the first check
  return command;
}

/** magic(2) crc(4) metadataSize(4) metadata payload */
function splitEntryFrame(frame: Buffer): FrameParts {
  const entry = frame.subarray(8 + frame.readUInt32BE(4));
  const payloadAt = 10 + entry.readUInt32BE(6);
  return {
    command: commandOf(frame),
    metadata: entry.subarray(10, payloadAt),
    payload: entry.subarray(payloadAt),
  };
}
