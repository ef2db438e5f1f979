/** Which source is watched. */
export interface SourceIdentity {
  readonly tenant: string;
  /** Without its tenant. */
  readonly namespace: string;
  readonly name: string;
  /** Of the Pulsar cluster, as its operators call it. */
  readonly cluster: string;
}

/** The labels that every series has, so that one dashboard shows many sources. Pulsar's own names and values. */
export function identityLabels(
  { tenant, namespace, name, cluster }: SourceIdentity,
  instanceId: number,
): Readonly<Record<string, string>> {
  return {
    tenant,
    namespace: `${tenant}/${namespace}`,
    name,
    instance_id: String(instanceId),
    cluster,
    fqfn: `${tenant}/${namespace}/${name}`,
  };
}

/** Their names: no other label may have one. */
export const identityLabelNames: ReadonlySet<string> = new Set([
  "tenant",
  "namespace",
  "name",
  "instance_id",
  "cluster",
  "fqfn",
]);
