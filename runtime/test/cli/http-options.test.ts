import { describe, expect, it } from "vitest";
import { httpAddress } from "../../src/cli/http-options.ts";
import { HostCheck } from "../../src/observe/http/host-check.ts";

const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1" };

function accepts(host: string, allowed: string | undefined, env: Readonly<Record<string, string>>): boolean {
  const address = httpAddress({ httpPort: 9094, httpHost: "0.0.0.0", httpAllowedHosts: allowed }, env);
  return new HostCheck(address?.names ?? []).accepts(host);
}

describe("httpAddress", () => {
  it.each([
    "orders.svc",
    "orders.streams.svc",
    "orders.streams.svc.cluster.local:9094",
    "orders-0.orders.streams.svc.cluster.local",
    "10-1-2-3.streams.pod.cluster.local:9094",
  ])("accepts %s, a name of the cluster's own DNS, in a pod", (host) => {
    expect(accepts(host, undefined, pod)).toBe(true);
  });

  it("accepts no name of a cluster's DNS outside of a pod", () => {
    expect(accepts("orders.streams.svc.cluster.local", undefined, {})).toBe(false);
  });

  it("accepts the short names of a Service only as configured: orders.dev may be a public domain", () => {
    expect(accepts("orders.dev", undefined, pod)).toBe(false);
    expect(accepts("orders", undefined, pod)).toBe(false);
    expect(accepts("orders.dev:9094", "orders, orders.dev", pod)).toBe(true);
    expect(accepts("evil.dev", "orders, orders.dev", pod)).toBe(false);
  });

  it("accepts the Services of a cluster whose domain is not cluster.local as configured", () => {
    expect(accepts("orders.streams.svc.corp.example", undefined, pod)).toBe(false);
    expect(accepts("orders.streams.svc.corp.example", ".svc.corp.example", pod)).toBe(true);
  });
});
