/**
 * What the names of AWS errors mean for the next attempt: the one table for Kinesis, DynamoDB, CloudWatch, STS and SSO.
 *
 * AWS answers many of these with status 400, so the name decides before the status.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: throttling and transient errors of the SDKs' standard mode
 * @see botocore/data/_retry.json and botocore/retries/standard.py: the names that Python's SDK retries
 * @see the Errors section of each operation in the API references of Kinesis, DynamoDB, CloudWatch, STS and IAM Identity Center
 */
export type AwsErrorKind =
  /** The caller must call less often. */
  | "throttled"
  /** The service, or something it depends on, failed. The same call may succeed later. */
  | "transient"
  /** The credentials have expired. New ones help. */
  | "expired"
  /** The clocks differ. The SDK corrects its own from the answer's date. */
  | "clock-skew"
  /** The network failed. Node and the SDK's HTTP handler use these names, not AWS. */
  | "network"
  /** The identity has no permission. */
  | "denied"
  /** AWS does not know the credentials. */
  | "unknown-credentials";

const names: Readonly<Record<AwsErrorKind, readonly string[]>> = {
  throttled: [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "KMSThrottlingException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "SlowDownException",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
  ],
  transient: [
    "IDPCommunicationError",
    "IDPCommunicationErrorException",
    "InternalError",
    "InternalFailure",
    "InternalFailureException",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "InternalServiceFault",
    "ReplicatedWriteConflictException",
    "RequestAbortedException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TransactionConflictException",
    "TransactionInProgressException",
  ],
  expired: ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"],
  "clock-skew": ["RequestInTheFuture", "RequestTimeTooSkewed"],
  network: [
    "EAI_AGAIN",
    "EAI_FAIL",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETUNREACH",
    "ENOTFOUND",
    "EPIPE",
    "EPROTO",
    "ETIMEDOUT",
    "ProxyError",
    "TimeoutError",
  ],
  denied: [
    "AccessDenied",
    "AccessDeniedException",
    "KMSAccessDeniedException",
    "NotAuthorizedException",
    "UnauthorizedOperation",
  ],
  "unknown-credentials": [
    "AuthFailure",
    "CredentialsProviderError",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
  ],
};

const kinds = new Map<string, AwsErrorKind>(
  // Object.entries of a literal of ours: its keys are the kinds.
  (Object.entries(names) as [AwsErrorKind, readonly string[]][]).flatMap(([kind, list]) =>
    list.map((name) => [name, kind] as const),
  ),
);

/** The kind of an error by the name that AWS, Node or the SDK's HTTP handler gave it; `undefined`: the name decides nothing. */
export function kindOfName(name: string): AwsErrorKind | undefined {
  return kinds.get(name);
}
