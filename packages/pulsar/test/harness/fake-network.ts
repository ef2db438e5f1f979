import { Duplex } from "node:stream";
import { type Dial, PulsarUnreachableError } from "../../src/index.ts";
import { FakeBroker } from "./fake-broker.ts";

/** Brokers by `host:port`, and connections to them that need no time and no operating system. */
export class FakeNetwork {
  readonly #brokers = new Map<string, FakeBroker>();

  /** A broker at `name`. */
  broker(name: string, port = 6_650): FakeBroker {
    const broker = new FakeBroker(`pulsar://${name}:${port}`);
    this.#brokers.set(`${name}:${port}`, broker);
    return broker;
  }

  readonly dial: Dial = ({ host, port }) => {
    const broker = this.#brokers.get(`${host}:${port}`);
    if (broker === undefined)
      return Promise.reject(new PulsarUnreachableError(`nothing listens at ${host}:${port}`));
    const [client, server] = socketPair();
    broker.accept(server);
    return Promise.resolve(client);
  };
}

/** Two ends of one connection: what is written to one is read from the other; when one is destroyed, so is the other. */
function socketPair(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const end = (other: () => Duplex | undefined) =>
    new Duplex({
      read() {},
      write(chunk, _encoding, callback) {
        other()?.push(chunk);
        callback();
      },
      destroy(error, callback) {
        process.nextTick(() => other()?.destroy());
        callback(error);
      },
    });
  const client = end(() => ends[1]);
  const server = end(() => ends[0]);
  ends.push(client, server);
  return [client, server];
}
