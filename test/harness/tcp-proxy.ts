import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A client's connection and the one to the server that belongs to it: either ends with the other. */
export interface TcpLink {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between clients and a server, and breaks what connects them. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #join: (link: TcpLink) => void;
  #links: TcpLink[] = [];
  #target = 0;

  private constructor(join: (link: TcpLink) => void) {
    this.#join = join;
    this.#server = createServer((client) => this.#accept(client));
  }

  /**
   * Listens on a port that is free; connections lead nowhere before there is a {@link target}.
   *
   * @param join hands on what either side says; default: all of it, as it is.
   */
  static async start(join: (link: TcpLink) => void = handOn): Promise<TcpProxy> {
    const proxy = new TcpProxy(join);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** The server's port. */
  set target(port: number) {
    this.#target = port;
  }

  /** Connections of clients that are open now. */
  get open(): number {
    return this.#links.filter((link) => !link.client.destroyed).length;
  }

  /** Those of which either side is open, oldest first. */
  get links(): readonly TcpLink[] {
    return this.#links;
  }

  /** Ends every connection with a RST, and all that is on its way with it. @returns how many clients had one. */
  reset(): number {
    const broken = this.open;
    for (const { client, server } of this.#links) {
      client.resetAndDestroy();
      server.destroy();
    }
    return broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#target, host: "127.0.0.1", noDelay: true });
    client.setNoDelay(true);
    const link = { client, server };
    this.#links = [...this.#links.filter((one) => !one.client.destroyed || !one.server.destroyed), link];
    this.#join(link);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => undefined); // it closes then
      one.on("close", () => other.destroy());
    }
  }
}

function handOn({ client, server }: TcpLink): void {
  client.pipe(server);
  server.pipe(client);
}
