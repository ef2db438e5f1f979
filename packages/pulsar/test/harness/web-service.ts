import { type Clock, systemClock } from "@pulsar-ts-io/core";
import { WebService, type WebServiceOptions } from "../../src/admin/web-service.ts";

export const verifiedTls: WebServiceOptions["tls"] = {
  trustCertPath: undefined,
  allowInsecure: false,
  hostnameVerification: true,
};

export const never: AbortSignal = new AbortController().signal;

/** A client of the admin API at `webServiceUrl`; `env:PASS` is a secret of its environment. */
export function webService(
  webServiceUrl: string,
  more: Partial<WebServiceOptions> = {},
  clock: Clock = systemClock,
): WebService {
  return new WebService(
    { webServiceUrl, tls: verifiedTls, ...more },
    { clock, environment: { PASS: "secret" } },
  );
}
