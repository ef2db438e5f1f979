import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "@pulsar-ts-io/core";
import { type ProducedRecord, sourceContract } from "@pulsar-ts-io/testkit/contract";
import { ExampleSource } from "../src/index.ts";

/** One after the other, as soon as the source listens; ends when the test does. */
async function postAll(
  records: readonly ProducedRecord[],
  port: unknown,
  signal: AbortSignal,
): Promise<void> {
  for (const { key, value } of records) {
    while (!signal.aborted && !(await post(key, value, port, signal))) await delay(10);
  }
}

async function post(key: string, body: Uint8Array, port: unknown, signal: AbortSignal): Promise<boolean> {
  try {
    const headers = { "x-key": key, connection: "close" };
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      headers,
      body: Buffer.from(body),
      signal,
    });
    return answer.ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

const callers = new Map<unknown, AbortController>();

sourceContract(ExampleSource, {
  config: async () => ({ port: await freePort() }),
  invalidConfigs: [
    { config: {}, path: "port" },
    { config: { port: 70_000 }, path: "port" },
  ],
  produce: async (records, { port }) => {
    const caller = callers.get(port) ?? new AbortController();
    callers.set(port, caller);
    void postAll(records, port, caller.signal);
  },
  dispose: async ({ port }) => callers.get(port)?.abort(),
  clock: () => systemClock,
  // Whoever called tries again; the source keeps nothing.
  capabilities: { replayable: false },
});
