import type { ConnectorError } from "@pulsar-ts-io/core";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTarget } from "../connection/connection-pool.ts";
import type { ProducerLink } from "../connection/link-registry.ts";
import { ConnectionLostError } from "../errors.ts";
import { Once } from "../wait.ts";
import type { Commands } from "../wire/command-types.ts";
import type { Receipt } from "../wire/receipt.ts";

/** Why a producer must be opened again. */
export type Loss =
  | { readonly kind: "connection"; readonly error: ConnectorError }
  /** The broker gave the topic away. */
  | { readonly kind: "closed"; readonly error: ConnectorError; readonly command: Commands["closeProducer"] }
  /** The broker could not store something: close the producer there, open it again, send all again. */
  | { readonly kind: "refused"; readonly error: ConnectorError };

/** What a session hands on to its producer. */
export interface SessionOwner {
  receipt(session: ProducerSession, receipt: Receipt): void;
  sendError(session: ProducerSession, error: Commands["sendError"]): void;
  migrated(command: Commands["topicMigrated"]): void;
}

/** One opening of a producer on one connection: from PRODUCER to its loss. */
export class ProducerSession implements ProducerLink {
  readonly connection: Connection;
  readonly target: ConnectionTarget;
  /** Happens when nothing more may be sent in this session. */
  readonly lost: Once<Loss> = new Once();
  readonly #owner: SessionOwner;

  constructor(owner: SessionOwner, connection: Connection, target: ConnectionTarget) {
    this.#owner = owner;
    this.connection = connection;
    this.target = target;
  }

  receipt(receipt: Receipt): void {
    this.#owner.receipt(this, receipt);
  }

  sendError(error: Commands["sendError"]): void {
    this.#owner.sendError(this, error);
  }

  closedByBroker(command: Commands["closeProducer"]): void {
    const error = new ConnectionLostError(`${this.connection.name} closed the producer`);
    this.lost.happen({ kind: "closed", error, command });
  }

  migrated(command: Commands["topicMigrated"]): void {
    this.#owner.migrated(command);
  }

  connectionLost(error: ConnectorError): void {
    this.lost.happen({ kind: "connection", error });
  }
}
