import { type Clock, codeOf, type Logger, type Troubles } from "@pulsar-ts-io/core";
import type { ConsumerOptions } from "../consumer-options.ts";
import { FanOutConsumer } from "./fan-out-consumer.ts";
import type { FanOutService } from "./fan-out-service.ts";
import type { Retrieval } from "./shard-reader.ts";

/** What no later attempt at the same start would mend, or not soon. */
const unavailable = new Set<unknown>([
  "PIO_FAN_OUT_UNAVAILABLE",
  "PIO_AWS_ACCESS_DENIED",
  "PIO_AWS_REQUEST_REFUSED",
]);

/**
 * Gets ready what reading needs: for enhanced fan-out, the registered consumer.
 *
 * @throws what registering it throws, when there is nothing to fall back to or the stream is missing or out of reach.
 */
export async function openRetrieval(
  wanted: ConsumerOptions["retrieval"],
  service: FanOutService,
  host: { readonly clock: Clock; readonly logger: Logger; readonly troubles: Troubles },
  signal: AbortSignal,
): Promise<Retrieval> {
  if (wanted.kind === "polling") return wanted;
  const { consumerName, fallback } = wanted;
  const consumer = new FanOutConsumer(service, consumerName, host);
  try {
    await consumer.register(signal);
    return { kind: "fan-out", consumer };
  } catch (error) {
    signal.throwIfAborted();
    if (fallback === undefined || !unavailable.has(codeOf(error))) throw error;
    host.logger.warn(
      { err: error, consumer: consumerName },
      "enhanced fan-out cannot be had, reading by polling instead",
    );
    return fallback;
  }
}
