import type { ConnectorError } from "@pulsar-ts-io/core";
import type { Commands, NamedCommand } from "../wire/command-types.ts";
import type { Receipt } from "../wire/receipt.ts";

/** One who is told what the broker says to a producer. Called while frames are read: must not throw. */
export interface ProducerLink {
  receipt(receipt: Receipt): void;
  sendError(error: Commands["sendError"]): void;
  closedByBroker(command: Commands["closeProducer"]): void;
  migrated(command: Commands["topicMigrated"]): void;
  connectionLost(error: ConnectorError): void;
}

/** One who is told what the broker says to a consumer. */
export interface ConsumerLink {
  /** @param content what follows the command in the frame; valid until the call returns. */
  message(command: Commands["message"], content: Uint8Array): void;
  closedByBroker(): void;
  connectionLost(error: ConnectorError): void;
}

/** The producers and consumers of one connection, by their ids: who gets which command. */
export class LinkRegistry {
  readonly #producers = new Map<number, ProducerLink>();
  readonly #consumers = new Map<number, ConsumerLink>();

  addProducer(id: number, link: ProducerLink): void {
    this.#producers.set(id, link);
  }

  /** Another link of that id stays. */
  removeProducer(id: number, link: ProducerLink): void {
    if (this.#producers.get(id) === link) this.#producers.delete(id);
  }

  addConsumer(id: number, link: ConsumerLink): void {
    this.#consumers.set(id, link);
  }

  receipt(receipt: Receipt): void {
    this.#producers.get(receipt.producerId)?.receipt(receipt);
  }

  /**
   * Hands `command` to whom it is for; whoever is not there any more misses it.
   *
   * @param rest what follows the command in the frame.
   * @returns whether it is a command for a producer or consumer.
   */
  dispatch(command: NamedCommand, rest: Uint8Array): boolean {
    switch (command.name) {
      case "sendError":
        this.#producers.get(command.fields.producerId)?.sendError(command.fields);
        return true;
      case "closeProducer":
        this.#closedProducer(command.fields);
        return true;
      case "topicMigrated":
        this.#producers.get(command.fields.resourceId)?.migrated(command.fields);
        return true;
      case "message":
        this.#consumers.get(command.fields.consumerId)?.message(command.fields, rest);
        return true;
      case "closeConsumer":
        this.#consumers.get(command.fields.consumerId)?.closedByBroker();
        return true;
      default:
        return false;
    }
  }

  /** Tells everyone that the connection has ended, and forgets them. */
  end(error: ConnectorError): void {
    const links = [...this.#producers.values(), ...this.#consumers.values()];
    this.#producers.clear();
    this.#consumers.clear();
    for (const link of links) link.connectionLost(error);
  }

  #closedProducer(command: Commands["closeProducer"]): void {
    const link = this.#producers.get(command.producerId);
    this.#producers.delete(command.producerId);
    link?.closedByBroker(command);
  }
}
