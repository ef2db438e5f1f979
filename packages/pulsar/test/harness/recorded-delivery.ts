import type { ConnectorError } from "@pulsar-ts-io/core";
import type { Delivery, MessageId, OutgoingMessage, Publisher } from "../../src/index.ts";

/** How the messages that were sent through it ended, in the order of sending. */
export class Deliveries {
  readonly outcomes: (MessageId | "duplicate" | ConnectorError | undefined)[] = [];
  /** Indexes in the order in which they were settled. */
  readonly order: number[] = [];

  send(publisher: Publisher, message: OutgoingMessage, sequenceId?: bigint): void {
    publisher.send(message, this.next(), sequenceId);
  }

  next(): Delivery {
    const index = this.outcomes.length;
    this.outcomes.push(undefined);
    const settle = (outcome: MessageId | "duplicate" | ConnectorError) => {
      if (this.outcomes[index] !== undefined) throw new Error(`message ${index} was settled twice`);
      this.outcomes[index] = outcome;
      this.order.push(index);
    };
    return { stored: (id) => settle(id ?? "duplicate"), failed: settle };
  }

  get settled(): number {
    return this.order.length;
  }

  get stored(): readonly MessageId[] {
    return this.outcomes.filter(
      (outcome): outcome is MessageId => typeof outcome === "object" && "entryId" in outcome,
    );
  }

  get duplicates(): number {
    return this.outcomes.filter((outcome) => outcome === "duplicate").length;
  }

  get failed(): readonly ConnectorError[] {
    return this.outcomes.filter(
      (outcome): outcome is ConnectorError => typeof outcome === "object" && "code" in outcome,
    );
  }
}
