import type { AwsCall } from "./aws-failure.ts";

/** The part of an AWS client's resolved configuration that says where its calls go. */
export interface AwsClientConfigView {
  region(): Promise<string>;
  endpoint?: (() => Promise<AwsUrl>) | undefined;
}

interface AwsUrl {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
}

/** Where a client's calls go, for error messages. */
export async function describeEndpoint(
  service: AwsCall["service"],
  config: AwsClientConfigView,
): Promise<Pick<AwsCall, "region" | "endpoint" | "customEndpoint">> {
  const region = await config.region();
  if (config.endpoint === undefined) {
    const host = service === "CloudWatch" ? "monitoring" : service.toLowerCase();
    const endpoint = `https://${host}.${region}.amazonaws.com`;
    return { region, endpoint, customEndpoint: false };
  }
  const { protocol, hostname, port, path } = await config.endpoint();
  const authority = port === undefined ? hostname : `${hostname}:${port}`;
  return { region, endpoint: `${protocol}//${authority}${path === "/" ? "" : path}`, customEndpoint: true };
}
