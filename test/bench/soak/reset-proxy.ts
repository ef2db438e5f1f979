import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Stands between the publisher and its broker, and breaks what connects them. */
export class ResetProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #target = 0;
  #broken = 0;

  private constructor() {
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a port that is free. */
  static async start(): Promise<ResetProxy> {
    const proxy = new ResetProxy();
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

  /** Connections that were broken. */
  get broken(): number {
    return this.#broken;
  }

  /** Ends every connection with a RST, and all that is on its way with it. */
  reset(): void {
    this.#broken += this.#clients.size;
    for (const client of this.#clients) client.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const broker = connect({ port: this.#target, host: "127.0.0.1", noDelay: true });
    this.#clients.add(client);
    client.setNoDelay(true);
    client.pipe(broker);
    broker.pipe(client);
    client.on("error", () => undefined); // it closes then
    broker.on("error", () => undefined);
    client.on("close", () => {
      this.#clients.delete(client);
      broker.destroy();
    });
    broker.on("close", () => client.destroy());
  }
}
