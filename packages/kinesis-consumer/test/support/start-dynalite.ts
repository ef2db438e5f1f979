import { once } from "node:events";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";

export interface Dynalite extends AsyncDisposable {
  readonly endpoint: string;
}

/** The store of the demo: no transactions, and no row with a refused condition. */
export async function startDynalite(): Promise<Dynalite> {
  const server = dynalite({ createTableMs: 50 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
  return {
    endpoint: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
