import { ConnectorError } from "@pulsar-ts-io/core";

/** The names that Kinesis, CloudWatch and STS give to their refusals. */
export type ServiceErrorName =
  | "AccessDeniedException"
  | "ExpiredIteratorException"
  | "ExpiredNextTokenException"
  | "InternalFailure"
  | "InternalFailureException"
  | "InternalServiceFault"
  | "InvalidArgumentException"
  | "InvalidParameterCombinationException"
  | "InvalidParameterValueException"
  | "KMSAccessDeniedException"
  | "KMSThrottlingException"
  | "LimitExceededException"
  | "MissingRequiredParameterException"
  | "ProvisionedThroughputExceededException"
  | "ResourceInUseException"
  | "ResourceNotFoundException"
  | "SerializationException"
  | "ServiceUnavailable"
  | "UnknownOperationException"
  | "UnrecognizedClientException"
  | "ValidationException";

const statusOf: Partial<Record<ServiceErrorName, number>> = {
  InternalFailure: 500,
  InternalFailureException: 500,
  InternalServiceFault: 500,
  ServiceUnavailable: 503,
};

/** What the service answers instead of a result. */
export class ServiceError extends ConnectorError {
  readonly code = "PIO_KINESIS_DOUBLE_REFUSED";
  readonly retryable = false;
  /** As on the wire, in `__type`. */
  readonly awsName: ServiceErrorName;
  /** The HTTP status: 400 unless the failure is the service's own. */
  readonly status: number;

  constructor(awsName: ServiceErrorName, message: string) {
    super(message);
    this.awsName = awsName;
    this.status = statusOf[awsName] ?? 400;
  }
}

/** A request member that breaks a documented constraint, in the words of AWS. */
export function validationError(member: string, value: unknown, constraint: string): ServiceError {
  const shown = value === undefined ? "null" : String(value);
  return new ServiceError(
    "ValidationException",
    `1 validation error detected: Value '${shown}' at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}
