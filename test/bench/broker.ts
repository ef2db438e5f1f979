import process from "node:process";
import { PulsarAdmin, startPulsar } from "@pulsar-ts-io/testkit";

/** The broker that a benchmark publishes to. Disposing ends it if it is ours. */
export interface BenchBroker extends AsyncDisposable {
  readonly serviceUrl: string;
  readonly admin: PulsarAdmin;
  /** `undefined`: it is not ours, and its CPU time is not known. */
  readonly pid: number | undefined;
}

/** The broker of `PULSAR_SERVICE_URL`, with `PULSAR_ADMIN_URL`, or one that is started for the purpose. */
export async function openBroker(report: (line: string) => void): Promise<BenchBroker> {
  const serviceUrl = process.env["PULSAR_SERVICE_URL"];
  if (serviceUrl === undefined || serviceUrl === "") {
    const broker = await startPulsar({ report });
    const { pid } = broker;
    return {
      serviceUrl: broker.serviceUrl,
      admin: new PulsarAdmin(broker.adminUrl),
      pid,
      [Symbol.asyncDispose]: () => broker.stop(),
    };
  }
  const host = new URL(serviceUrl.replace(/^pulsar/, "http")).hostname;
  const adminUrl = process.env["PULSAR_ADMIN_URL"] ?? `http://${host}:8080`;
  return {
    serviceUrl,
    admin: new PulsarAdmin(adminUrl),
    pid: undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
