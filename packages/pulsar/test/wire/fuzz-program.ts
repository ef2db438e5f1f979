// Feeds connections with frames that are almost those of a broker, in a process of its own: a hang and a leak show there.
// Prints one JSON line now and then: inputs done, what became of them, and the bytes that are alive.
import { Duplex } from "node:stream";
import { ConnectorError, silentLogger, silentMeter, systemClock, toError } from "@pulsar-ts-io/core";
import { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import { Connection } from "../../src/connection/connection.ts";
import type { ConsumerLink, ProducerLink } from "../../src/connection/link-registry.ts";
import { decodeCommand, sendReceiptType, splitCommand } from "../../src/wire/commands.ts";
import { decodeEntry } from "../../src/wire/entry.ts";
import { type Frame, FrameDecoder } from "../../src/wire/frame-decoder.ts";
import { readReceipt } from "../../src/wire/receipt.ts";
import { FrameFuzzer } from "../harness/frame-fuzzer.ts";

const [seed = 1, count = 1_000] = process.argv.slice(2).map(Number);
/** A whole connection costs ten times as much as its decoders. */
const connectEvery = 10;
const reportEvery = Math.max(1_000, Math.floor(count / 100));
const authentication = { method: "none", credentials: () => Promise.resolve(new Uint8Array(0)) };

/** What became of the frames. */
const tally = {
  frames: 0,
  streams: 0,
  connections: 0,
  refused: 0,
  receipts: 0,
  commands: 0,
  entries: 0,
  badEntries: 0,
};

const toldCommand = () => {
  tally.commands += 1;
};
const producer: ProducerLink = {
  receipt: () => {
    tally.receipts += 1;
  },
  sendError: toldCommand,
  closedByBroker: toldCommand,
  migrated: toldCommand,
  connectionLost: () => undefined,
};
const consumer: ConsumerLink = {
  message: (_, content) => readEntry(content),
  closedByBroker: toldCommand,
  connectionLost: () => undefined,
};

function readEntry(content: Uint8Array): void {
  try {
    decodeEntry(content);
    tally.entries += 1;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof ConnectorError)) throw error;
    tally.badEntries += 1;
  }
}

const unknownCommands = silentMeter.counter("", "");

/** One connection's life: frames until it ends, at most 20. */
function liveOnce(fuzzer: FrameFuzzer): void {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const options = { name: "fuzz:6650", authentication, clock: systemClock, logger: silentLogger };
  const connection = new Connection(socket, { ...options, operationTimeoutMs: 1_000, unknownCommands });
  for (let id = 0; id < 4; id += 1) {
    connection.attachProducer(id, producer);
    connection.attachConsumer(id, consumer);
  }
  tally.connections += 1;
  for (let frames = 0; frames < 20 && connection.ended.value === undefined; frames += 1) {
    tally.frames += 1;
    for (const chunk of fuzzer.chunks(fuzzer.frame())) socket.emit("data", chunk);
  }
  const { ended } = connection;
  if (ended.value?.code === "PIO_PULSAR_PROTOCOL") tally.refused += 1;
  // What a connection does not expect must not pass for a malformed frame.
  if (
    ended.value !== undefined &&
    ended.value.cause !== undefined &&
    !(ended.value.cause instanceof RangeError)
  )
    throw ended.value;
  socket.destroy();
}

/** The same by the decoders alone, for a tenth of the time. */
function decodeOnce(fuzzer: FrameFuzzer): void {
  const decoder = new FrameDecoder();
  tally.streams += 1;
  try {
    for (let frames = 0; frames < 20; frames += 1) {
      tally.frames += 1;
      for (const chunk of fuzzer.chunks(fuzzer.frame())) decoder.push(chunk, decodeFrame);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    tally.refused += 1;
  }
}

function decodeFrame({ command, rest }: Frame): void {
  const raw = splitCommand(command);
  if (raw.type === sendReceiptType) {
    readReceipt(raw.content);
    tally.receipts += 1;
  } else if (decodeCommand(raw)?.name === "message") readEntry(rest);
  else tally.commands += 1;
}

/** What is alive once everything that has ended is gone: a socket takes a turn of the loop to close, and a collection to go. */
async function aliveBytes(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise(setImmediate);
    (globalThis as { gc?: () => void }).gc?.(); // there because the program is started with --expose-gc
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function report(fields: object): Promise<void> {
  process.stdout.write(`${JSON.stringify({ ...tally, aliveBytes: await aliveBytes(), ...fields })}\n`);
}

async function run(): Promise<void> {
  let next = 0;
  for (let at = 0; tally.frames < count; at += 1) {
    // A seed for each stream: the one that fails can be looked at alone.
    const random = new SeededRandom(seed + at);
    const fuzzer = new FrameFuzzer(random);
    try {
      if (at % connectEvery === 0) liveOnce(fuzzer);
      else decodeOnce(fuzzer);
    } catch (error) {
      throw new Error(`stream ${at} (seed ${seed + at}) failed`, { cause: toError(error) });
    }
    if (at % 1_000 === 0) await new Promise(setImmediate);
    if (tally.frames < next) continue;
    next += reportEvery;
    await report({});
  }
  await report({ done: true });
}

// Most inputs end in an error: without its stack there is time for three times as many.
Error.stackTraceLimit = 0;
process.on("unhandledRejection", (reason) => {
  throw reason;
});
await run();
