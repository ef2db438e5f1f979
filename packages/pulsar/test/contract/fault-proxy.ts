import { createHash } from "node:crypto";
import { type TcpLink, TcpProxy } from "../../../../test/harness/tcp-proxy.ts";
import { FrameDecoder } from "../../src/wire/frame-decoder.ts";

const sendCommand = 6;

/** Stands between a client and a broker: breaks their connections, holds back what the broker says, remembers what was sent. */
export class FaultProxy implements AsyncDisposable {
  readonly #proxy: TcpProxy;
  readonly #traffic: Traffic;

  private constructor(proxy: TcpProxy, traffic: Traffic) {
    this.#proxy = proxy;
    this.#traffic = traffic;
  }

  /** Listens on a port that is free; connections lead nowhere before there is a {@link target}. */
  static async start(): Promise<FaultProxy> {
    const traffic = new Traffic();
    return new FaultProxy(await TcpProxy.start((link) => traffic.join(link)), traffic);
  }

  get port(): number {
    return this.#proxy.port;
  }

  /** The broker's port. */
  set target(port: number) {
    this.#proxy.target = port;
  }

  /** Connections of clients that are open now. */
  get open(): number {
    return this.#proxy.open;
  }

  /** Of each connection the hashes of its SENDs, in order. */
  get sends(): readonly (readonly string[])[] {
    return this.#traffic.sends;
  }

  /** Ends every connection with a RST. */
  reset(): void {
    this.#proxy.reset();
  }

  /** Ends the connections of clients; the broker holds them for alive, until nothing answers its PING. */
  abandon(): void {
    for (const { client, server } of this.#proxy.links) {
      server.removeAllListeners("data");
      client.removeAllListeners("close");
      server.resume();
      client.destroy();
    }
  }

  /** From now on clients hear nothing any more; what they say still arrives. */
  pause(): void {
    this.#traffic.paused = true;
    for (const { server } of this.#proxy.links) server.pause();
  }

  resume(): void {
    this.#traffic.paused = false;
    for (const { server } of this.#proxy.links) server.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
  }
}

/** Hands on what is said, and reads what clients send. */
class Traffic {
  readonly sends: string[][] = [];
  paused = false;

  join({ client, server }: TcpLink): void {
    const sends: string[] = [];
    this.sends.push(sends);
    const decoder = new FrameDecoder();
    client.on("data", (chunk: Buffer) => {
      decoder.push(chunk, ({ command, rest }) => {
        if (command[1] === sendCommand) sends.push(hashOf(command, rest));
      });
      if (!server.write(chunk)) client.pause();
    });
    server.on("drain", () => client.resume());
    server.on("data", (chunk: Buffer) => client.write(chunk));
    if (this.paused) server.pause();
  }
}

/** Whole frames would be most of the memory that a test looks at. */
function hashOf(command: Uint8Array, rest: Uint8Array): string {
  return createHash("sha256").update(command).update(rest).digest("base64");
}
