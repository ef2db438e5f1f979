import {
  type LocalPulsar,
  PulsarAdmin,
  type PulsarOptions,
  readTopicToEnd,
  startPulsar,
  type TopicMessage,
} from "@pulsar-ts-io/testkit";
import type { ContractAddress } from "./contract-transport.ts";
import { FaultProxy } from "./fault-proxy.ts";

const listenerName = "proxied";

/** A real broker, and the proxy through which the transport under test reaches it. */
export class ContractBroker implements AsyncDisposable {
  readonly broker: LocalPulsar;
  readonly admin: PulsarAdmin;
  readonly proxy: FaultProxy;
  /** How the transport under test gets there. */
  readonly address: ContractAddress;

  private constructor(broker: LocalPulsar, proxy: FaultProxy) {
    this.broker = broker;
    this.proxy = proxy;
    this.admin = new PulsarAdmin(broker.adminUrl);
    this.address = { serviceUrl: `pulsar://127.0.0.1:${proxy.port}`, listenerName };
    proxy.target = Number(new URL(broker.serviceUrl).port);
  }

  static async start(options: PulsarOptions): Promise<ContractBroker> {
    const proxy = await FaultProxy.start();
    try {
      const broker = await startPulsar({ ...options, listeners: { [listenerName]: proxy.port } });
      return new ContractBroker(broker, proxy);
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The address of the broker itself, past the proxy. */
  get direct(): ContractAddress {
    return { serviceUrl: this.broker.serviceUrl, listenerName: undefined };
  }

  /** All messages of `topic`, read by Java's client past the proxy. */
  read(topic: string): Promise<readonly TopicMessage[]> {
    return readTopicToEnd({ serviceUrl: this.broker.serviceUrl, topic });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.broker.stop();
  }
}
