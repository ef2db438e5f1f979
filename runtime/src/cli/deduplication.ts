import type { Clock, Guarantee, Logger } from "@pulsar-ts-io/core";
import { parseWebServiceUrl, usualWebServiceUrl, WebService } from "@pulsar-ts-io/pulsar";
import { BrokerDeduplication } from "../instance/broker-deduplication.ts";
import type { Deduplication } from "../instance/partition-publishers.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import type { Destination } from "./transport.ts";

export interface DeduplicationFlags extends Destination {
  readonly assumeDeduplication?: boolean | undefined;
}

interface DeduplicationHost {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Who says whether topics deduplicate; `undefined`: nobody is asked, because it does not matter or the user says so.
 *
 * @throws InvalidServiceUrlError (`PIO_INVALID_SERVICE_URL`).
 */
export function createDeduplication(
  guarantee: Guarantee,
  flags: DeduplicationFlags,
  broker: BrokerSettings,
  { clock, logger }: DeduplicationHost,
): Deduplication | undefined {
  if (guarantee !== "EFFECTIVELY_ONCE" || flags.output !== "pulsar") return undefined;
  if (flags.assumeDeduplication === true) {
    logger.warn(
      {},
      "topics are taken to deduplicate, as told; one that does not stores repeated records again",
    );
    return undefined;
  }
  const webServiceUrl = broker.webServiceUrl ?? usualWebServiceUrl(broker.serviceUrl);
  parseWebServiceUrl(webServiceUrl); // one that cannot be an address is the user's mistake, not the broker's silence
  const connect = () => new WebService({ ...broker, webServiceUrl }, { clock });
  return new BrokerDeduplication(connect);
}
