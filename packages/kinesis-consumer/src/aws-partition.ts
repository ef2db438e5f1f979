import { partition } from "@aws-sdk/core/client";

/** What the name of a host of AWS says. */
export interface AwsHost {
  /** `undefined`: the name has no region in it. */
  readonly region: string | undefined;
}

/** `vpce` and what follows it name an interface endpoint of a VPC. */
const vpcLabel = "vpce";
const regionShape = /^[a-z]+(?:-[a-z]+)+-\d+$/;

/**
 * Reads the name of a host by the SDK's own data about AWS's partitions: their regions and domains, those of dual-stack included.
 *
 * The one place that says what a host of AWS is: for HTTP/2, metrics, the region of an endpoint, and errors.
 *
 * @returns `undefined` for a host that is not AWS's.
 */
export function readAwsHost(hostname: string): AwsHost | undefined {
  const labels = hostname.toLowerCase().split(".");
  // The SDK looks a partition up by region; what is no region gives the commercial one, whose domains are shorter than the others'.
  for (const region of [...labels.filter((label) => regionShape.test(label)), "us-east-1"]) {
    const { dnsSuffix, dualStackDnsSuffix } = partition(region);
    for (const suffix of [dualStackDnsSuffix, dnsSuffix]) {
      if (!hostname.toLowerCase().endsWith(`.${suffix}`)) continue;
      const rest = labels.slice(0, -suffix.split(".").length);
      const last = rest.at(-1) === vpcLabel ? rest.at(-2) : rest.at(-1);
      return { region: last !== undefined && regionShape.test(last) ? last : undefined };
    }
  }
  return undefined;
}

/** Whether `endpoint`, a URL, leads to AWS. */
export function isAwsEndpoint(endpoint: string): boolean {
  return URL.canParse(endpoint) && readAwsHost(new URL(endpoint).hostname) !== undefined;
}

/** The first part of an ARN in a region, such as `aws-cn`. */
export function partitionName(region: string): string {
  return partition(region).name;
}

/** Whether the SDK knows the region by its name. A region that AWS opened later is not known. */
export function isKnownRegion(region: string): boolean {
  // The SDK adds the description of a region to what it says of the partition.
  return "description" in partition(region);
}
