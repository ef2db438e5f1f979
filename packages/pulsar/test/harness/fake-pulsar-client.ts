import type {
  Consumer,
  LogLevel,
  Message,
  ClientConfig as NativeClientConfig,
  MessageId as NativeMessageId,
  ProducerConfig as NativeProducerConfig,
  Producer,
  ProducerMessage,
  Reader,
} from "pulsar-client";
import type { NativeModule } from "../../src/native/load-client.ts";

/** One message that the fake client was given, to be answered by the test. */
export interface HandedOver {
  readonly message: ProducerMessage;
  /** What the router chose; 0 when the topic has no partitions. */
  readonly partition: number;
  readonly stored: (idText: string) => void;
  readonly refused: (result: string) => void;
}

/** Plays `pulsar-client`, by the package's own declarations: answers what the test says, and keeps what it was told. */
export class FakePulsarClient {
  readonly clients: NativeClientConfig[] = [];
  readonly producers: NativeProducerConfig[] = [];
  readonly handedOver: HandedOver[] = [];
  /** Constructor arguments, by the name of the class. */
  readonly authentications: (readonly [string, unknown])[] = [];
  /** Producers and clients that were closed. */
  readonly closed: string[] = [];
  partitions = 0;
  flushes = 0;
  /** Results that the next calls of `createProducer` end with, first to last; then they succeed. */
  refuseProducers: string[] = [];
  /** No producer is created before it. */
  held: Promise<void> | undefined;
  readonly module: NativeModule;

  constructor() {
    const fake = this;
    class Authentication {
      constructor(params: unknown) {
        fake.authentications.push([new.target.name, params]);
      }
    }
    this.module = {
      Client: class Client {
        static setLogHandler(): void {}
        constructor(config: NativeClientConfig) {
          fake.clients.push(config);
        }
        createProducer(config: NativeProducerConfig): Promise<Producer> {
          return fake.#createProducer(config);
        }
        subscribe(): Promise<Consumer> {
          return Promise.reject(new Error("not for publishing"));
        }
        createReader(): Promise<Reader> {
          return Promise.reject(new Error("not for publishing"));
        }
        getPartitionsForTopic(): Promise<string[]> {
          return Promise.reject(new Error("not for publishing"));
        }
        close(): Promise<null> {
          fake.closed.push("client");
          return Promise.resolve(null);
        }
      },
      LogLevel: { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 } as typeof LogLevel, // an enum, by its values
      AuthenticationToken: class AuthenticationToken extends Authentication {},
      AuthenticationTls: class AuthenticationTls extends Authentication {},
      AuthenticationBasic: class AuthenticationBasic extends Authentication {},
      AuthenticationOauth2: class AuthenticationOauth2 extends Authentication {},
      AuthenticationAthenz: class AuthenticationAthenz extends Authentication {},
    };
  }

  async #createProducer(config: NativeProducerConfig): Promise<Producer> {
    this.producers.push(config);
    if (this.held !== undefined) await this.held;
    const result = this.refuseProducers.shift();
    if (result !== undefined) throw new Error(`Failed to create producer: ${result}`);
    return {
      send: (message) => this.#send(config, message),
      flush: async () => {
        this.flushes += 1;
        return null;
      },
      close: async () => {
        this.closed.push(config.topic);
        return null;
      },
      getProducerName: () => config.producerName ?? "standalone-0-1",
      getTopic: () => config.topic,
      isConnected: () => true,
    };
  }

  /** The real one asks the router in the middle of `send`, too, and only where there are partitions. */
  #send(config: NativeProducerConfig, message: ProducerMessage): Promise<NativeMessageId> {
    const metadata = { numPartitions: this.partitions };
    const partition =
      this.partitions === 0 ? 0 : (config.messageRouter?.({} as Message, metadata) ?? Number.NaN); // no router looks at it
    return new Promise((resolve, reject) => {
      this.handedOver.push({
        message,
        partition,
        stored: (text) => resolve({ toString: () => text, serialize: () => Buffer.alloc(0) }),
        refused: (result) => reject(new Error(`Failed to send message: ${result}`)),
      });
    });
  }
}
