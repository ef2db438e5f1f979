import { ConnectorError } from "@pulsar-ts-io/core";

/** There is no state store. Pulsar's own words. */
export class StateDisabledError extends ConnectorError {
  readonly code = "PIO_STATE_DISABLED";
  readonly retryable = false;
}

/** The state could not be read or stored; what was stored before is as it was. */
export class StateStoreError extends ConnectorError {
  readonly code = "PIO_STATE_STORE";
  readonly retryable = true;
}
