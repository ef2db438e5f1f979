import { beforeAll, describe, expect, it } from "vitest";
import {
  buildManifests,
  type Labels,
  type Manifests,
  only,
  type PodSpec,
} from "../harness/kubernetes-manifests.ts";

/** Compiles kustomize the first time. */
const buildMs = 480_000;
/** Of one instance, by docs/operating.md: 5 s to notice, 30 drain, 30 close, 10 producers, 10 connection. */
const longestStopSeconds = 85;

describe("the manifests of one source", () => {
  let manifests: Manifests;
  beforeAll(async () => {
    manifests = await buildManifests("");
  }, buildMs);

  it("apply to an empty cluster: the namespace is among them, and nothing that needs a foreign resource type", () => {
    const kinds = manifests.resources.map(({ kind }) => kind);
    expect(kinds).toContain("Namespace");
    expect(kinds).not.toContain("ServiceMonitor");
    const namespace = only(manifests, "Namespace").metadata.name;
    for (const { kind, metadata } of manifests.resources) {
      if (kind !== "Namespace") expect(metadata.namespace).toBe(namespace);
    }
  });

  it("have pods that the Pod Security level restricted admits", () => {
    expect(manifests.forbidden).toEqual([]);
  });

  it("give a pod more time to stop than the longest stop takes", () => {
    expect(pod(manifests).terminationGracePeriodSeconds).toBeGreaterThanOrEqual(longestStopSeconds + 15);
  });

  it("wait ten minutes for a first start, and ask readiness apart from liveness", () => {
    const [{ startupProbe, livenessProbe, readinessProbe }] = pod(manifests).containers;
    expect(startupProbe.periodSeconds * (startupProbe.failureThreshold ?? 3)).toBeGreaterThanOrEqual(600);
    expect(livenessProbe.httpGet.path).toBe("/health");
    expect(readinessProbe.httpGet.path).toBe("/ready");
  });

  it("start without a Secret, and take the broker's address from a ConfigMap", () => {
    const secrets = pod(manifests).volumes.filter(({ secret }) => secret !== undefined);
    expect(secrets.map(({ secret }) => secret?.optional)).toEqual([true]);
    const [{ args }] = pod(manifests).containers;
    expect(args.filter((arg) => /broker|auth/.test(arg))).toEqual([]);
    expect(settings(manifests)).toHaveProperty("PULSAR_TS_IO_BROKER_SERVICE_URL");
  });

  it("restart an instance before its pod runs out of memory", () => {
    const limit = Number.parseInt(pod(manifests).containers[0].resources.limits.memory, 10);
    expect(Number.parseInt(settings(manifests)["PULSAR_TS_IO_MAX_MEMORY"] ?? "", 10)).toBeLessThan(limit);
  });

  it("spread the pods over zones and nodes, and pause between the pods of an update", () => {
    const keys = pod(manifests).topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
    expect(keys).toEqual(["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
    expect(only(manifests, "StatefulSet").spec?.minReadySeconds).toBeGreaterThan(0);
  });
});

describe("the manifests of two sources in one namespace", () => {
  let manifests: Manifests;
  beforeAll(async () => {
    manifests = await buildManifests("examples/two-sources");
  }, buildMs);

  it("select the pods of their own source alone, in every selector", () => {
    const sets = manifests.resources.filter(({ kind }) => kind === "StatefulSet");
    const pods = sets.map(({ spec }) => spec?.template?.metadata.labels ?? {});
    expect(pods).toHaveLength(2);
    const selectors = manifests.resources.flatMap(({ kind, spec }) => [
      ...(kind === "Service" ? [spec?.selector as Labels] : []),
      ...(spec?.selector?.matchLabels === undefined ? [] : [spec.selector.matchLabels]),
      ...(spec?.template?.spec.topologySpreadConstraints ?? []).map(
        ({ labelSelector }) => labelSelector.matchLabels,
      ),
    ]);
    expect(selectors).toHaveLength(2 * 5);
    for (const selector of selectors) {
      expect(
        pods.filter((labels) => matches(selector, labels)),
        JSON.stringify(selector),
      ).toHaveLength(1);
    }
  });

  it("give each StatefulSet its own Service, settings and count of instances", () => {
    for (const { metadata, spec } of manifests.resources.filter(({ kind }) => kind === "StatefulSet")) {
      const container = spec?.template?.spec.containers[0];
      expect(spec?.serviceName).toBe(metadata.name);
      expect(container?.env).toContainEqual({ name: "SERVICE_NAME", value: metadata.name });
      const named = container?.envFrom[0]?.configMapRef.name;
      const settingsOf = manifests.resources.find(({ metadata: { name } }) => name === named);
      expect(settingsOf?.data?.["PULSAR_TS_IO_PARALLELISM"]).toBe(String(spec?.replicas));
    }
  });
});

describe.each([
  ["service-monitor", "ServiceMonitor"],
  ["network-policy", "NetworkPolicy"],
  ["private-ca", undefined],
] as const)("the component %s", (component, kind) => {
  it(
    "builds, and its pods are admitted",
    async () => {
      const manifests = await buildManifests("", ["components/instance-count", `components/${component}`]);
      expect(manifests.forbidden).toEqual([]);
      if (kind === undefined) {
        const { env } = pod(manifests).containers[0];
        expect(env).toContainEqual({ name: "NODE_EXTRA_CA_CERTS", value: "/etc/pulsar-ts-io-ca/ca.pem" });
        return;
      }
      const { spec } = only(manifests, kind);
      const selector = spec?.podSelector ?? spec?.selector;
      const labels = only(manifests, "StatefulSet").spec?.template?.metadata.labels ?? {};
      expect(matches(selector?.matchLabels ?? { none: "" }, labels)).toBe(true);
    },
    buildMs,
  );
});

describe.each(["autoscaling-cpu", "autoscaling-lag", "autoscaling-shards"])(
  "the component %s",
  (component) => {
    it(
      "leaves the number of pods to the autoscaler, and gives no count to the instances",
      async () => {
        const manifests = await buildManifests("", [`components/${component}`]);
        expect(only(manifests, "StatefulSet").spec).not.toHaveProperty("replicas");
        expect(settings(manifests)).not.toHaveProperty("PULSAR_TS_IO_PARALLELISM");
      },
      buildMs,
    );
  },
);

function pod(manifests: Manifests): PodSpec {
  const spec = only(manifests, "StatefulSet").spec?.template?.spec;
  if (spec === undefined) throw new Error("no pod");
  return spec;
}

function settings({ resources }: Manifests): Labels {
  return resources.find(({ metadata: { name } }) => name.startsWith("pulsar-ts-io-settings-"))?.data ?? {};
}

function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
