import { StackRequestError } from "./stack-errors.ts";

export interface PulsarAdminOptions {
  readonly token?: string | undefined;
  /** Cuts every request short. */
  readonly signal?: AbortSignal | undefined;
}

export interface TopicStats {
  readonly msgInCounter: number;
  readonly publishers: readonly {
    readonly producerName: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
}

const requestMs = 30_000;

/**
 * The few calls of Pulsar's admin API that tests set the stage with. A topic is written in full:
 * `persistent://tenant/namespace/name`.
 *
 * Every call throws StackRequestError (`PIO_STACK_REQUEST_FAILED`) with the broker's own reason.
 */
export class PulsarAdmin {
  readonly #url: string;
  readonly #options: PulsarAdminOptions;

  constructor(adminUrl: string, options: PulsarAdminOptions = {}) {
    this.#url = adminUrl.replace(/\/$/, "");
    this.#options = options;
  }

  async createTenant(tenant: string): Promise<void> {
    await this.#call("PUT", `tenants/${tenant}`, { adminRoles: [], allowedClusters: ["standalone"] });
  }

  /** @param namespace `tenant/name`. */
  async createNamespace(namespace: string): Promise<void> {
    await this.#call("PUT", `namespaces/${namespace}`);
  }

  async createTopic(topic: string): Promise<void> {
    await this.#call("PUT", path(topic));
  }

  async createPartitionedTopic(topic: string, partitions: number): Promise<void> {
    await this.#call("PUT", `${path(topic)}/partitions`, partitions);
  }

  /** Broker-side deduplication for a namespace. */
  async setDeduplication(namespace: string, enabled: boolean): Promise<void> {
    await this.#call("POST", `namespaces/${namespace}/deduplication`, enabled);
  }

  /** Moves the topic off its broker for a moment; producers reconnect. */
  async unload(topic: string): Promise<void> {
    await this.#call("PUT", `${path(topic)}/unload`);
  }

  /** Nothing can be published to the topic any more. */
  async terminate(topic: string): Promise<void> {
    await this.#call("POST", `${path(topic)}/terminate`);
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#call("DELETE", `${path(topic)}?force=true`);
  }

  async deletePartitionedTopic(topic: string): Promise<void> {
    await this.#call("DELETE", `${path(topic)}/partitions?force=true`);
  }

  async stats(topic: string): Promise<TopicStats> {
    const response = await this.#call("GET", `${path(topic)}/stats`);
    return (await response.json()) as TopicStats; // of the broker whose version we chose
  }

  /** Any other call: `path` is what follows `/admin/v2/`. */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const text = await (await this.#call(method, path, body)).text();
    return text === "" ? undefined : JSON.parse(text);
  }

  async #call(method: string, path: string, body?: unknown): Promise<Response> {
    const { token, signal } = this.#options;
    const deadline = AbortSignal.timeout(requestMs);
    const response = await fetch(`${this.#url}/admin/v2/${path}`, {
      method,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    const reason = (await response.text()).slice(0, 500);
    throw new StackRequestError(`the broker refused ${method} ${path}: ${response.status} ${reason}`, {
      details: { status: response.status },
    });
  }
}

/** `persistent://public/default/t` as the admin API writes it: `persistent/public/default/t`. */
function path(topic: string): string {
  const match = /^(persistent|non-persistent):\/\/([^/]+)\/([^/]+)\/(.+)$/.exec(topic);
  if (match === null) throw new RangeError(`not a full topic name: ${topic}`);
  const [, domain = "", tenant = "", namespace = "", name = ""] = match;
  return `${domain}/${tenant}/${namespace}/${encodeURIComponent(name)}`;
}
