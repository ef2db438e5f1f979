import type { Duplex } from "node:stream";
import { decodeEntry, type EntryMessage } from "../../src/index.ts";
import type { CommandName, Commands } from "../../src/wire/command-types.ts";
import { decodeCommand, encodeCommand, splitCommand } from "../../src/wire/commands.ts";
import {
  bytes,
  decode,
  encode,
  type FieldTable,
  integer,
  long,
  nested,
  required,
} from "../../src/wire/field-table.ts";
import { type Frame, FrameDecoder } from "../../src/wire/frame-decoder.ts";

interface SendFields {
  readonly producerId: number;
  readonly sequenceId: number;
  readonly numMessages?: number | undefined;
  readonly highestSequenceId?: number | undefined;
}

const sendTable: FieldTable<SendFields> = {
  producerId: required(integer(1)),
  sequenceId: required(integer(2)),
  numMessages: integer(3),
  highestSequenceId: integer(6),
};

/** One SEND as it arrived. */
export interface ReceivedSend extends SendFields {
  /** Of command, checksum, metadata and payload, hex: what must be the same when it is sent again. */
  readonly bytes: string;
  readonly messages: readonly EntryMessage[];
}

/** One connection of a client, as the broker sees it. */
export class FakeConnection {
  readonly socket: Duplex;
  readonly sends: ReceivedSend[] = [];
  readonly commands: { readonly name: string; readonly fields: object }[] = [];

  constructor(socket: Duplex) {
    this.socket = socket;
  }

  /** Nothing arrives at the client any more. */
  isStuck = false;

  tell<N extends CommandName>(name: N, fields: Commands[N]): void {
    if (!this.socket.destroyed && !this.isStuck) this.socket.write(encodeCommand(name, fields));
  }

  receipt(send: SendFields, id: { ledgerId: bigint; entryId: bigint }): void {
    this.#write(7, encode(receiptTable, { ...send, highestSequenceId: send.highestSequenceId ?? 0, id }));
  }

  /** The commands of that name, in order of arrival. */
  of<N extends CommandName>(name: N): readonly Commands[N][] {
    // What was decoded by the table of that name.
    return this.commands.filter((one) => one.name === name).map((one) => one.fields as Commands[N]);
  }

  #write(type: number, content: Uint8Array): void {
    const base = encode<{ type: number; content: Uint8Array }>(
      { type: required(integer(1)), content: required(bytes(type)) },
      { type, content },
    );
    const head = Buffer.alloc(8);
    head.writeUInt32BE(4 + base.length, 0);
    head.writeUInt32BE(base.length, 4);
    if (!this.socket.destroyed && !this.isStuck) this.socket.write(Buffer.concat([head, base]));
  }
}

interface ReceiptFields {
  readonly producerId: number;
  readonly sequenceId: number;
  readonly id: { readonly ledgerId: bigint; readonly entryId: bigint };
  readonly highestSequenceId: number;
}

const receiptTable: FieldTable<ReceiptFields> = {
  producerId: required(integer(1)),
  sequenceId: required(integer(2)),
  id: required(nested(3, { ledgerId: required(long(1)), entryId: required(long(2)) })),
  highestSequenceId: required(integer(4)),
};

/** Answers a command instead of the broker's own way. @returns `false` to leave it to the broker after all; anything else is ignored. */
export type Answer<N extends CommandName> = (fields: Commands[N], connection: FakeConnection) => unknown;

/** A broker of one topic, in this process: honest by default, and what a test makes of it otherwise. */
export class FakeBroker {
  readonly connections: FakeConnection[] = [];
  partitions = 0;
  /** Whether it takes each SEND apart and keeps it in {@link FakeConnection.sends}. */
  keepsSends = true;
  maxMessageSize = 5_242_880;
  /** What SEND is answered with; default a receipt with the next entry id. */
  onSend: (send: ReceivedSend, connection: FakeConnection) => void = (send, connection) => {
    connection.receipt(send, { ledgerId: 1n, entryId: this.#entries++ });
  };
  readonly #answers = new Map<string, Answer<never>>();
  /** Where clients find it. */
  readonly url: string;
  #entries = 0n;

  constructor(url: string) {
    this.url = url;
  }

  /** The latest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error("nobody has connected");
    return last;
  }

  get sends(): readonly ReceivedSend[] {
    return this.connections.flatMap((connection) => connection.sends);
  }

  /** Connections that are still open. */
  get open(): number {
    return this.connections.filter((connection) => !connection.socket.destroyed).length;
  }

  answer<N extends CommandName>(name: N, answer: Answer<N>): void {
    this.#answers.set(name, answer as Answer<never>); // only ever called with the fields of that name
  }

  /** All commands of that name, of all connections. */
  of<N extends CommandName>(name: N): readonly Commands[N][] {
    return this.connections.flatMap((connection) => connection.of(name));
  }

  /** Serves a client at the other end of `socket`. */
  accept(socket: Duplex): void {
    const connection = new FakeConnection(socket);
    this.connections.push(connection);
    const decoder = new FrameDecoder();
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Uint8Array) =>
      decoder.push(chunk, (frame) => this.#receive(frame, connection)),
    );
  }

  #receive(frame: Frame, connection: FakeConnection): void {
    const raw = splitCommand(frame.command);
    if (raw.type === 6 && !this.keepsSends) {
      this.onSend({ ...decode(sendTable, raw.content), bytes: "", messages: [] }, connection);
      return;
    }
    if (raw.type === 6) {
      const send: ReceivedSend = {
        ...decode(sendTable, raw.content),
        bytes: Buffer.concat([frame.command, frame.rest]).toString("hex"),
        messages: decodeEntry(Uint8Array.from(frame.rest)),
      };
      connection.sends.push(send);
      this.onSend(send, connection);
      return;
    }
    const command = decodeCommand(raw);
    if (command === undefined) return;
    connection.commands.push(command);
    const answer = this.#answers.get(command.name) as Answer<CommandName> | undefined;
    if (answer === undefined || answer(command.fields as never, connection) === false) {
      this.answerHonestly(command.name, command.fields, connection);
    }
  }

  /** Answers as it does by default. */
  answerHonestly(name: CommandName, fields: object, connection: FakeConnection): void {
    const requestId = "requestId" in fields ? Number(fields.requestId) : 0;
    const tls = this.url.startsWith("pulsar+ssl");
    const url = tls ? { brokerServiceUrlTls: this.url } : { brokerServiceUrl: this.url };
    switch (name) {
      case "connect":
        connection.tell("connected", { serverVersion: "fake", maxMessageSize: this.maxMessageSize });
        break;
      case "ping":
        connection.tell("pong", {});
        break;
      case "partitionedMetadata":
        connection.tell("partitionedMetadataResponse", {
          requestId,
          response: 0,
          partitions: this.partitions,
        });
        break;
      case "lookup":
        connection.tell("lookupResponse", { requestId, response: 1, ...url });
        break;
      case "producer": {
        const named = "producerName" in fields && typeof fields.producerName === "string";
        connection.tell("producerSuccess", {
          requestId,
          producerName: named ? String(fields.producerName) : "given-by-broker",
          lastSequenceId: -1,
        });
        break;
      }
      case "closeProducer":
        connection.tell("success", { requestId });
        break;
      default:
    }
  }
}
