import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock, Source, SourceRecord } from "@pulsar-ts-io/core";
import { checkRecord } from "./check-record.ts";
import { InstanceFailedError, NoTopicError, UnnumberedRecordError } from "./errors.ts";
import type { Outlets } from "./outlets.ts";
import type { OpenPublisher } from "./publishers.ts";
import { type DeliveryHost, RecordDelivery } from "./record-delivery.ts";

/** Records after which timers and sockets get a turn, however fast the source and the publisher are. */
const recordsPerTurn = 256;

export interface RecordPumpOptions {
  readonly host: DeliveryHost;
  /** Where records go that name no destination. */
  readonly topic: string | undefined;
  readonly clock: Clock;
}

/** The way of a record: from `read` to `send`, one after the other, no faster than the publishers confirm. */
export class RecordPump {
  readonly #source: Pick<Source<unknown>, "read">;
  readonly #outlets: Outlets;
  readonly #options: RecordPumpOptions;

  constructor(source: Pick<Source<unknown>, "read">, outlets: Outlets, options: RecordPumpOptions) {
    this.#source = source;
    this.#outlets = outlets;
    this.#options = options;
  }

  /**
   * Runs until `signal` aborts. A record that was read before that is still sent, over the publisher's
   * limit if need be: what is sent now need not be read again at the next start.
   *
   * @throws what `read` throws, and InstanceFailedError of stage `pulsar` when nothing can be published any more.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { host, clock } = this.#options;
    const { publishers, letters } = this.#outlets;
    const { counters } = host;
    const numbered = host.guarantee === "EFFECTIVELY_ONCE";
    for (let sent = 1; !signal.aborted; sent += 1) {
      const record = await this.#source.read();
      // It came after the source was given up on: nobody may settle it any more.
      if (!host.settling) return;
      checkRecord(record);
      counters.received += 1;
      counters.lastReceivedTime = clock.now();
      const sequenceId = sequenceOf(record, numbered);
      const topic = this.#topicOf(record);
      const target = publishers.find(topic, record) ?? (await this.#open(topic, record, signal));
      if (target?.publisher.full === true || letters?.full === true) await this.#room(target, signal);
      this.#send(record, target, sequenceId);
      if (sent % recordsPerTurn === 0) await nextTurn();
    }
  }

  #topicOf(record: SourceRecord): string {
    const topic = record.destinationTopic ?? this.#options.topic;
    if (topic !== undefined) return topic;
    throw new NoTopicError("a record names no destination topic, and none is configured", {
      remedy: "give the topic for such records with --destination-topic-name",
    });
  }

  #send(record: SourceRecord, target: OpenPublisher | undefined, sequenceId: bigint | undefined): void {
    const { host } = this.#options;
    if (target === undefined || target.released) return; // read again by whoever has its partition now
    if (host.guarantee === "ATMOST_ONCE") record.ack();
    target.publisher.send(record, new RecordDelivery(host, record, target), sequenceId);
  }

  async #open(topic: string, record: SourceRecord, signal: AbortSignal): Promise<OpenPublisher | undefined> {
    try {
      return await this.#outlets.publishers.open(topic, record, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new InstanceFailedError("pulsar", error);
    }
  }

  /** Waits also for room among the dead letters: what is refused must not pile up. */
  async #room(target: OpenPublisher | undefined, signal: AbortSignal): Promise<void> {
    try {
      await target?.publisher.room(signal);
      await this.#outlets.letters?.room(signal);
    } catch (error) {
      if (!(signal.aborted || target?.released === true)) throw new InstanceFailedError("pulsar", error);
    }
  }
}

/** @throws UnnumberedRecordError: without both, Pulsar could not tell a repeated record from a new one. */
function sequenceOf(record: SourceRecord, numbered: boolean): bigint | undefined {
  if (!numbered) return undefined;
  const { partitionId, recordSequence } = record;
  if (typeof partitionId === "string" && partitionId !== "" && typeof recordSequence === "bigint") {
    return recordSequence;
  }
  throw new UnnumberedRecordError(
    "the source returned a record without partitionId and recordSequence, and EFFECTIVELY_ONCE needs both",
    {
      remedy:
        "use --processing-guarantees ATLEAST_ONCE, or a connector that numbers its records within their partition",
    },
  );
}
