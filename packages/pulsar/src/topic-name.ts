import { InvalidTopicNameError } from "./errors.ts";

/** A topic's name in its parts. */
export interface TopicName {
  readonly domain: "persistent" | "non-persistent";
  readonly tenant: string;
  readonly namespace: string;
  readonly localName: string;
  /** Index of the partition the name stands for; -1 when it names a whole topic. */
  readonly partition: number;
  /** The complete name, as the broker knows it. */
  readonly full: string;
}

export interface TopicDefaults {
  /** Default `public`. */
  readonly tenant?: string | undefined;
  /** Default `default`. */
  readonly namespace?: string | undefined;
}

/** The characters of a tenant's or namespace's name: Java's NamedEntity. */
const entityName = /^[-=:.\w]+$/;
const fullName = /^(?<domain>[^:/]+):\/\/(?<rest>.*)$/s;
const partitionSuffix = /-partition-(?<index>0|[1-9]\d*)$/;

/**
 * Reads a topic name: `persistent://tenant/namespace/topic`, `tenant/namespace/topic`, or just `topic`,
 * which gets the tenant and namespace of `defaults`.
 *
 * @throws InvalidTopicNameError (`PIO_INVALID_TOPIC_NAME`), which says what is wrong with it.
 */
export function parseTopicName(name: string, defaults: TopicDefaults = {}): TopicName {
  const groups = fullName.exec(name)?.groups;
  const domain = groups?.["domain"] ?? "persistent";
  if (domain !== "persistent" && domain !== "non-persistent") {
    throw invalid(name, `its domain is "${domain}"`, "start it with persistent:// or non-persistent://");
  }
  const path = (groups?.["rest"] ?? name).split("/");
  const parts =
    groups === undefined && path.length === 1
      ? [defaults.tenant ?? "public", defaults.namespace ?? "default", name]
      : path;
  const [tenant, namespace, localName] = parts;
  if (tenant === undefined || namespace === undefined || localName === undefined || parts.length > 3) {
    throw invalid(
      name,
      `it has ${parts.length} parts between slashes`,
      "write persistent://tenant/namespace/topic, tenant/namespace/topic, or a topic's bare name",
    );
  }
  checkEntity(name, "tenant", tenant);
  checkEntity(name, "namespace", namespace);
  if (localName === "") throw invalid(name, "the part after the last slash is empty", "name the topic");
  return {
    domain,
    tenant,
    namespace,
    localName,
    partition: Number(partitionSuffix.exec(localName)?.groups?.["index"] ?? -1),
    full: `${domain}://${tenant}/${namespace}/${localName}`,
  };
}

function checkEntity(name: string, what: string, value: string): void {
  if (entityName.test(value)) return;
  throw invalid(
    name,
    `"${value}" is no ${what} name`,
    `use letters, digits and any of - = : . _ for the ${what}`,
  );
}

function invalid(name: string, why: string, remedy: string): InvalidTopicNameError {
  return new InvalidTopicNameError(`"${name}" is no topic name: ${why}`, {
    details: { topic: name },
    remedy,
  });
}
