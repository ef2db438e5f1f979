import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";

const sendCommand = 6;

interface Link {
  readonly client: Socket;
  readonly broker: Socket;
  /** A hash of every SEND that the client wrote. */
  readonly sends: string[];
}

/** Stands between a client and a broker: breaks their connections, holds back what the broker says, remembers what was sent. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #links: Link[] = [];
  #target = 0;
  #paused = false;

  private constructor() {
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a port that is free; connections lead nowhere before there is a {@link target}. */
  static async start(): Promise<FaultProxy> {
    const proxy = new FaultProxy();
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** The broker's port. */
  set target(port: number) {
    this.#target = port;
  }

  /** Connections of clients that are open now. */
  get open(): number {
    return this.#links.filter((link) => !link.client.destroyed).length;
  }

  /** Of each connection the hashes of its SENDs, in order. */
  get sends(): readonly (readonly string[])[] {
    return this.#links.map((link) => link.sends);
  }

  /** Ends every connection with a RST. */
  reset(): void {
    for (const { client, broker } of this.#links) {
      client.resetAndDestroy();
      broker.destroy();
    }
  }

  /** Ends the connections of clients; the broker holds them for alive, until nothing answers its PING. */
  abandon(): void {
    for (const { client, broker } of this.#links) {
      broker.removeAllListeners("data");
      client.removeAllListeners("close");
      broker.resume();
      client.destroy();
    }
  }

  /** From now on clients hear nothing any more; what they say still arrives. */
  pause(): void {
    this.#paused = true;
    for (const link of this.#links) link.broker.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const link of this.#links) link.broker.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const broker = connect({ port: this.#target, host: "127.0.0.1" });
    const link: Link = { client, broker, sends: [] };
    const decoder = new FrameDecoder();
    this.#links.push(link);
    client.setNoDelay(true);
    broker.setNoDelay(true);
    client.on("data", (chunk: Buffer) => {
      decoder.push(chunk, ({ command, rest }) => {
        if (command[1] === sendCommand) link.sends.push(hashOf(command, rest));
      });
      if (!broker.write(chunk)) client.pause();
    });
    broker.on("drain", () => client.resume());
    broker.on("data", (chunk: Buffer) => client.write(chunk));
    if (this.#paused) broker.pause();
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      one.on("error", () => undefined); // it closes then
      one.on("close", () => other.destroy());
    }
  }
}

/** Whole frames would be most of the memory that a test looks at. */
function hashOf(command: Uint8Array, rest: Uint8Array): string {
  return createHash("sha256").update(command).update(rest).digest("base64");
}
