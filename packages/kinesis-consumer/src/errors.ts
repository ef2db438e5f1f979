import { ConnectorError, type ConnectorErrorOptions } from "@pulsar-ts-io/core";

/** The consumer for enhanced fan-out cannot be had: the stream has as many as it may, or Kinesis does not get it ready. */
export class FanOutUnavailableError extends ConnectorError {
  readonly code = "PIO_FAN_OUT_UNAVAILABLE";
  readonly retryable = true;
}

/** A shard was subscribed to within the last five seconds, by us or by a later owner of its lease. */
export class SubscriptionInUseError extends ConnectorError {
  readonly code = "PIO_SUBSCRIPTION_IN_USE";
  readonly retryable = true;
}

/** The stream does not exist under this name, account, region and endpoint. */
export class StreamNotFoundError extends ConnectorError {
  readonly code = "PIO_STREAM_NOT_FOUND";
  readonly retryable = false;
}

/** The stream was deleted and created anew: the stored positions mean nothing in it. */
export class StreamRecreatedError extends ConnectorError {
  readonly code = "PIO_STREAM_RECREATED";
  readonly retryable = false;
}

/** The listed shards do not cover the hash range without gap or overlap; usual for moments during a reshard. */
export class ShardListingError extends ConnectorError {
  readonly code = "PIO_SHARD_LISTING";
  readonly retryable = true;
}

/** The shard is not known to the service (any more). */
export class ShardNotFoundError extends ConnectorError {
  readonly code = "PIO_SHARD_NOT_FOUND";
  readonly retryable = false;
}

/** A shard iterator outlived its five minutes. */
export class IteratorExpiredError extends ConnectorError {
  readonly code = "PIO_ITERATOR_EXPIRED";
  readonly retryable = true;
}

/** The service refuses a position: a sequence number of another stream or shard, or a time to come. */
export class PositionRefusedError extends ConnectorError {
  readonly code = "PIO_POSITION_REFUSED";
  readonly retryable = false;
}

/** The reader of a shard hears nothing, or its answers lead nowhere, although nothing holds it back. */
export class ReaderStuckError extends ConnectorError {
  readonly code = "PIO_READER_STUCK";
  readonly retryable = true;
}

/** Another worker owns the lease now, or this one could not renew it in time; the shard is given up at once. */
export class LeaseLostError extends ConnectorError {
  readonly code = "PIO_LEASE_LOST";
  readonly retryable = false;
}

/** DynamoDB would refuse the table's name. */
export class LeaseTableNameError extends ConnectorError {
  readonly code = "PIO_LEASE_TABLE_NAME";
  readonly retryable = false;
}

/** A table of that name exists and is no lease table. */
export class LeaseTableSchemaError extends ConnectorError {
  readonly code = "PIO_LEASE_TABLE_SCHEMA";
  readonly retryable = false;
}

/** The lease table holds the leases of another stream. */
export class LeaseTableOfOtherStreamError extends ConnectorError {
  readonly code = "PIO_LEASE_TABLE_OF_OTHER_STREAM";
  readonly retryable = false;
}

/** There is no lease table of that name. */
export class LeaseTableMissingError extends ConnectorError {
  readonly code = "PIO_LEASE_TABLE_MISSING";
  readonly retryable = false;
}

/** The table exists and cannot be used yet. */
export class LeaseTableNotReadyError extends ConnectorError {
  readonly code = "PIO_LEASE_TABLE_NOT_READY";
  readonly retryable = true;
}

/** A row of the lease table says something that no KCL writes. */
export class LeaseRowError extends ConnectorError {
  readonly code = "PIO_LEASE_ROW";
  readonly retryable = false;
}

/** The credentials may not call an operation. */
export class AwsAccessDeniedError extends ConnectorError {
  readonly code = "PIO_AWS_ACCESS_DENIED";
  readonly retryable = false;
}

/** The credentials are missing, unknown to AWS or expired. */
export class AwsCredentialsError extends ConnectorError {
  readonly code = "PIO_AWS_CREDENTIALS";
  /** Expired ones may be renewed by their provider before the next attempt. */
  readonly retryable: boolean;

  constructor(message: string, options: ConnectorErrorOptions & { readonly retryable: boolean }) {
    super(message, options);
    this.retryable = options.retryable;
  }
}

/** The region is not the one the endpoint serves, or no region at all. */
export class AwsRegionError extends ConnectorError {
  readonly code = "PIO_AWS_REGION";
  readonly retryable = false;
}

/** No answer came from the endpoint: refused, unknown host, reset, or too late. */
export class AwsUnreachableError extends ConnectorError {
  readonly code = "PIO_AWS_UNREACHABLE";
  readonly retryable = true;
}

/** The service asks to be called less often. */
export class AwsThrottledError extends ConnectorError {
  readonly code = "PIO_AWS_THROTTLED";
  readonly retryable = true;
}

/** The service failed on its side. */
export class AwsUnavailableError extends ConnectorError {
  readonly code = "PIO_AWS_UNAVAILABLE";
  readonly retryable = true;
}

/** The service refused a request for a reason that no later attempt will mend. */
export class AwsRequestRefusedError extends ConnectorError {
  readonly code = "PIO_AWS_REQUEST_REFUSED";
  readonly retryable = false;
}
