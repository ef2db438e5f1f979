import { type Clock, crowdedController, hasCode, type Logger } from "@pulsar-ts-io/core";
import type { ConnectionPool, ConnectionTarget } from "../connection/connection-pool.ts";
import type { TopicLookup } from "../connection/lookup.ts";
import { type BrokerAddress, formatAddress } from "../connection/service-url.ts";
import { PulsarTimeoutError } from "../errors.ts";
import type { AccessMode, SchemaInfo } from "../publisher.ts";
import { withDeadline } from "../wait.ts";
import type { Commands } from "../wire/command-types.ts";
import { type Loss, ProducerSession, type SessionOwner } from "./producer-session.ts";
import { schemaField } from "./schema-field.ts";

/** How long closing waits for the broker's word. */
const closeMs = 5_000;
/** ProducerAccessMode of the protocol. */
const accessModes: Readonly<Record<AccessMode, number>> = { Shared: 0, Exclusive: 1 };

/** What a producer needs around it. */
export interface ProducerHost {
  readonly pool: ConnectionPool;
  readonly lookup: TopicLookup;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who the producer is, for the broker. */
export interface ProducerIdentity {
  /** Complete name, of the partition where there are partitions. */
  readonly topic: string;
  readonly producerId: number;
  /** Absent: the broker gives one, which is kept. */
  readonly producerName: string | undefined;
  /** Whether the name was chosen by the user. */
  readonly nameChosen: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly accessMode: AccessMode;
  readonly schema: SchemaInfo | undefined;
}

export interface OpenedSession {
  readonly session: ProducerSession;
  readonly success: Commands["producerSuccess"];
}

/** Opens one producer on whichever broker serves its topic, and closes it there. Each opening has a higher epoch. */
export class ProducerOpener {
  readonly #host: ProducerHost;
  readonly #identity: ProducerIdentity;
  #name: string | undefined;
  #epoch = 0;
  #topicEpoch: number | undefined;
  /** Where the topic is looked up since it migrated. */
  #cluster: BrokerAddress | undefined;

  constructor(host: ProducerHost, identity: ProducerIdentity) {
    this.#host = host;
    this.#identity = identity;
    this.#name = identity.producerName;
  }

  /** The producer's name: the broker's where none was given. */
  get name(): string | undefined {
    return this.#name;
  }

  /** @param hint where the topic is said to be; absent: it is looked up. */
  async open(
    owner: SessionOwner,
    hint: ConnectionTarget | undefined,
    signal: AbortSignal,
  ): Promise<OpenedSession> {
    const { pool, lookup } = this.#host;
    const { topic, producerId } = this.#identity;
    const target = hint ?? (await lookup.broker(topic, signal, this.#cluster));
    const connection = await pool.get(target, signal);
    const session = new ProducerSession(owner, connection, target);
    connection.attachProducer(producerId, session);
    try {
      const opening = connection.request("producer", this.#command(), `the producer for ${topic}`, signal);
      opening.catch(() => undefined); // a broker that gives the topic away closes the producer instead of answering
      const success = await Promise.race([opening, lossOf(session)]);
      this.#name = success.producerName;
      this.#topicEpoch = success.topicEpoch ?? this.#topicEpoch;
      return { session, success };
    } catch (error) {
      this.detach(session);
      // Whether the broker has the producer is not known: without this, the next PRODUCER of that id could be refused.
      if (signal.aborted || hasCode(error, "PIO_PULSAR_TIMEOUT"))
        connection.tell("closeProducer", { producerId });
      throw error;
    }
  }

  /** Whether the topic has migrated to another cluster. */
  get migrated(): boolean {
    return this.#cluster !== undefined;
  }

  /** From now on the topic is looked up in the cluster that it has migrated to. @returns its address. */
  migrate(command: Commands["topicMigrated"]): string {
    const { brokerServiceUrl, brokerServiceUrlTls } = command;
    this.#cluster = this.#host.lookup.addressFor(this.#identity.topic, brokerServiceUrl, brokerServiceUrlTls);
    return formatAddress(this.#cluster);
  }

  /** Where the broker says the topic went; `undefined`: look it up. */
  hint(session: ProducerSession, loss: Loss): ConnectionTarget | undefined {
    if (loss.kind !== "closed") return undefined;
    const { brokerServiceUrl, brokerServiceUrlTls } = loss.command;
    const broker = this.#host.lookup.address(brokerServiceUrl, brokerServiceUrlTls);
    if (broker === undefined) return undefined;
    const { via, broker: before } = session.target;
    return { broker, via: via === before ? broker : via };
  }

  /** Closes the producer on its broker. Until that has answered, receipts for what was sent before still arrive. */
  async close(session: ProducerSession): Promise<void> {
    const { clock, logger } = this.#host;
    const { producerId, topic } = this.#identity;
    const what = `closing the producer for ${topic}`;
    const deadline = { clock, ms: closeMs, error: () => new PulsarTimeoutError(`${what} took too long`) };
    try {
      await withDeadline(deadline, neverAborted, (signal) =>
        session.connection.request("closeProducer", { producerId }, what, signal),
      );
    } catch (error) {
      logger.debug({ err: error }, "producer not closed on its broker");
    }
  }

  /** Nothing that arrives is told to `session` any more. */
  detach(session: ProducerSession): void {
    session.connection.detachProducer(this.#identity.producerId, session);
  }

  #command(): Omit<Commands["producer"], "requestId"> {
    const { topic, producerId, nameChosen, properties, accessMode, schema } = this.#identity;
    const epoch = this.#epoch;
    this.#epoch += 1;
    return {
      topic,
      producerId,
      producerName: this.#name,
      encrypted: false,
      metadata: Object.entries(properties).map(([key, value]) => ({ key, value })),
      schema: schema === undefined ? undefined : schemaField(schema),
      epoch,
      userProvidedProducerName: nameChosen,
      accessMode: accessModes[accessMode],
      topicEpoch: this.#topicEpoch,
    };
  }
}

async function lossOf(session: ProducerSession): Promise<never> {
  throw (await session.lost.promise).error;
}

const neverAborted: AbortSignal = crowdedController().signal;
