/**
 * The AWS variables of the process, which AWS's own tools and SDKs all honour.
 *
 * The one place of this connector that looks at `process.env`: the SDK's clients and its default credential chain read the same
 * variables whatever we do, and a region or an endpoint of ours that ignored them would send some calls elsewhere.
 */
export interface AwsEnvironment {
  /** AWS_REGION, else AWS_DEFAULT_REGION. */
  readonly region: string | undefined;
  /** AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL; neither when AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true. */
  readonly endpoints: Readonly<Record<AwsService, string | undefined>>;
  /** Whether CBOR may be used with Kinesis: not with AWS_CBOR_DISABLE=true or AWS_CBOR_ENABLED=false, as in the SDKs for Java. */
  readonly cbor: boolean;
}

export type AwsService = "kinesis" | "dynamodb" | "cloudwatch" | "sts";

/** @param env defaults to the process's own. */
export function readAwsEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): AwsEnvironment {
  const ignored = env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true";
  const endpoint = (service: string): string | undefined =>
    ignored ? undefined : (text(env[`AWS_ENDPOINT_URL_${service}`]) ?? text(env["AWS_ENDPOINT_URL"]));
  return {
    region: text(env["AWS_REGION"]) ?? text(env["AWS_DEFAULT_REGION"]),
    endpoints: {
      kinesis: endpoint("KINESIS"),
      dynamodb: endpoint("DYNAMODB"),
      cloudwatch: endpoint("CLOUDWATCH"),
      sts: endpoint("STS"),
    },
    cbor: !isOn(env["AWS_CBOR_DISABLE"]) && text(env["AWS_CBOR_ENABLED"])?.toLowerCase() !== "false",
  };
}

/**
 * Stops the SDK from telling operators, at each start, that its later releases will want a newer Node: the release in use
 * is pinned and supports this one, and who runs a connector cannot change it. A value that is set already stays.
 */
export function quietVersionNotice(env: Record<string, string | undefined> = process.env): void {
  env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
}

/** Every value means yes, except those that mean no. */
function isOn(value: string | undefined): boolean {
  return !["", "0", "false", "no"].includes(value?.trim().toLowerCase() ?? "");
}

function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === undefined || trimmed === "" ? undefined : trimmed;
}
