import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const deploy = fileURLToPath(new URL("../deploy", import.meta.url));
const manifests = fileURLToPath(new URL("../../deploy/kubernetes", import.meta.url));

/** A resource, with the fields that the tests read. */
export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly data?: Labels;
  readonly spec?: Spec;
}

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels: Labels;
}

interface Spec {
  readonly replicas?: number;
  readonly serviceName?: string;
  readonly minReadySeconds?: number;
  readonly selector?: Labels & Partial<Selector>;
  readonly podSelector?: Selector;
  readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
  readonly topologySpreadConstraints: readonly {
    readonly topologyKey: string;
    readonly labelSelector: Selector;
  }[];
  readonly containers: readonly [ContainerSpec];
  readonly volumes: readonly Volume[];
}

export interface ContainerSpec {
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

export interface Probe {
  readonly httpGet: { readonly path: string };
  readonly periodSeconds: number;
  readonly failureThreshold?: number;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly optional?: boolean };
  readonly emptyDir?: { readonly sizeLimit: string };
}

export interface Manifests {
  readonly resources: readonly Resource[];
  /** What the Pod Security level "restricted" forbids. */
  readonly forbidden: readonly string[];
}

/**
 * The resources of a kustomization below deploy/kubernetes, built by kustomize's own library.
 *
 * @param components of it, instead of those that it names.
 */
export async function buildManifests(folder: string, components: readonly string[] = []): Promise<Manifests> {
  const args = ["run", "./kubernetes", join(manifests, folder), ...components];
  const { stdout } = await promisify(execFile)("go", args, { cwd: deploy, maxBuffer: 16 * 1_048_576 });
  return JSON.parse(stdout) as Manifests; // by test/deploy/kubernetes
}

/** The only resource of a kind. */
export function only({ resources }: Manifests, kind: string): Resource {
  const [resource, ...others] = resources.filter((one) => one.kind === kind);
  if (resource === undefined || others.length > 0) throw new Error(`${others.length + 1} of ${kind}`);
  return resource;
}
