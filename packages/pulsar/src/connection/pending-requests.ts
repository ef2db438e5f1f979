import type { ConnectorError } from "@pulsar-ts-io/core";
import { Once } from "../wait.ts";
import type { Commands, NamedCommand } from "../wire/command-types.ts";
import { encodeCommand } from "../wire/commands.ts";
import { brokerError } from "./server-error.ts";

/** Which command answers which request. */
interface Answers {
  readonly producer: "producerSuccess";
  readonly closeProducer: "success";
  readonly lookup: "lookupResponse";
  readonly partitionedMetadata: "partitionedMetadataResponse";
  readonly subscribe: "success";
  readonly closeConsumer: "success";
}

export type RequestName = keyof Answers;
/** A request's fields but for its id, which the connection gives. */
export type RequestFields<N extends RequestName> = Omit<Commands[N], "requestId">;
export type Response<N extends RequestName> = Commands[Answers[N]];

const answers: Answers = {
  producer: "producerSuccess",
  closeProducer: "success",
  lookup: "lookupResponse",
  partitionedMetadata: "partitionedMetadataResponse",
  subscribe: "success",
  closeConsumer: "success",
};

interface Pending {
  readonly what: string;
  readonly answer: string;
  readonly resolve: (command: NamedCommand) => void;
  readonly reject: (error: ConnectorError) => void;
  readonly queued: Once<true>;
}

export interface StartedRequest<N extends RequestName> {
  readonly id: number;
  readonly frame: Buffer;
  readonly answer: Promise<Response<N>>;
  /** Happens when the broker says that the answer will come when its turn comes, however long that takes. */
  readonly queued: Once<true>;
}

/** The requests of one connection that are not answered yet. */
export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;

  /** @param what the request in words, for the error when it is refused. */
  start<N extends RequestName>(name: N, fields: RequestFields<N>, what: string): StartedRequest<N> {
    const id = this.#nextId;
    this.#nextId += 1;
    const queued = new Once<true>();
    const answer = new Promise<Response<N>>((resolve, reject) => {
      this.#pending.set(id, {
        what,
        answer: answers[name],
        // `answer` below compared the command's name with the one that belongs to N.
        resolve: (command) => resolve(command.fields as Response<N>),
        reject,
        queued,
      });
    });
    // Whoever asked may have stopped waiting.
    answer.catch(() => undefined);
    // The fields of a request are those of its command without the id.
    const frame = encodeCommand(name, { ...fields, requestId: id } as unknown as Commands[N]);
    return { id, frame, answer, queued };
  }

  /** Settles the request that `command` answers; anything else is ignored. */
  answer(command: NamedCommand): void {
    if (!("requestId" in command.fields)) return;
    const request = this.#pending.get(command.fields.requestId);
    if (request === undefined || request.answer !== command.name) return;
    // A queued producer is answered twice; the first answer only says to go on waiting.
    if (command.name === "producerSuccess" && command.fields.producerReady === false) {
      request.queued.happen(true);
      return;
    }
    this.#pending.delete(command.fields.requestId);
    request.resolve(command);
  }

  /** @returns whether `error` answered a request. */
  refuse(error: Commands["error"]): boolean {
    const request = this.#pending.get(error.requestId);
    if (request === undefined) return error.requestId >= 0;
    this.#pending.delete(error.requestId);
    request.reject(brokerError(error, request.what));
    return true;
  }

  /** Nothing is answered any more. */
  end(error: ConnectorError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of pending) request.reject(error);
  }

  forget(id: number): void {
    this.#pending.delete(id);
  }
}
