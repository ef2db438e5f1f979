import dns from "node:dns";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readTopicDeduplication } from "../../src/admin/topic-deduplication.ts";
import { webService } from "../harness/web-service.ts";

/** Documented: each request ends within this time. */
const withinMs = 10_000;
const stopped = new Error("stopped");

const faults = [
  "never answers",
  "answers after the limit",
  "stalls in the head of its answer",
  "stalls in the middle of its answer",
  "refuses the connection",
  "stalls in the TLS handshake",
  "has a name that does not resolve",
  "has a name whose resolution never ends",
  "is behind a proxy that never opens a tunnel",
] as const;
type Fault = (typeof faults)[number];
/** The others are silent: only the limit ends them. */
const endsByItself: readonly Fault[] = ["refuses the connection", "has a name that does not resolve"];

/** All that is asked of the admin API, in the order of asking: each but the last leads to the next one. */
const questions = [
  { question: "the topic's deduplication", leads: { status: 405, body: "" } },
  { question: "the namespace's deduplication", leads: { status: 204, body: "" } },
  { question: "the broker's setting", leads: { status: 200, body: '{"brokerDeduplicationEnabled":"true"}' } },
] as const;

/** These faults hit the connection. Each question opens its own, so the first question is enough. */
const ofConnections: readonly Fault[] = [
  "refuses the connection",
  "stalls in the TLS handshake",
  "has a name that does not resolve",
  "has a name whose resolution never ends",
  "is behind a proxy that never opens a tunnel",
];

const cells = questions.flatMap(({ question }, index) =>
  faults
    .filter((fault) => index === 0 || !ofConnections.includes(fault))
    .flatMap((fault) =>
      (["while the source opens", "during a stop"] as const).map((phase) => ({
        question,
        index,
        fault,
        phase,
      })),
    ),
);
type Cell = (typeof cells)[number];

const urls: Partial<Record<Fault, string>> = {
  "stalls in the TLS handshake": "https://127.0.0.1",
  "has a name that does not resolve": "http://unknown.test",
  "has a name whose resolution never ends": "http://endless.test",
  "is behind a proxy that never opens a tunnel": "https://pulsar.test",
};

describe("every request to the admin API", () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let port: number;
  let fault: Fault | undefined;
  /** Which question meets the fault. */
  let faulty: number;
  let asked: number;
  let late: (() => void)[];

  beforeEach(async () => {
    fault = undefined;
    asked = 0;
    late = [];
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"])
      for (const variable of [name, name.toLowerCase()]) vi.stubEnv(variable, undefined);
    await start();
    const { lookup } = dns;
    // As Node calls it for a connection: the name, options, and a callback that comes last.
    vi.spyOn(dns, "lookup").mockImplementation(((...args: Parameters<typeof lookup>) => {
      const [hostname, options] = args;
      if (!hostname.endsWith(".test")) return lookup(...args);
      const done = args.at(-1) as unknown as (error: Error | null, ...found: unknown[]) => void;
      const all = (options as { all?: boolean } | null)?.all === true;
      const found = all ? [[{ address: "127.0.0.1", family: 4 }]] : ["127.0.0.1", 4];
      if (fault === undefined || asked < faulty) setImmediate(() => done(null, ...found));
      else if (hostname === "unknown.test") {
        const error = new Error("getaddrinfo EAI_AGAIN unknown.test");
        setImmediate(() => done(Object.assign(error, { code: "EAI_AGAIN" })));
      }
    }) as typeof lookup);
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await end();
  });

  async function start(at = 0): Promise<void> {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (data) => reply(socket, data.toString("latin1")));
    });
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo); // a listening TCP server has such an address
  }

  async function end(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  function reply(socket: Socket, request: string): void {
    const index = asked;
    asked += 1;
    const { status, body } = questions[index % questions.length]?.leads ?? { status: 500, body: "" };
    const head = `HTTP/1.1 ${status} any\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
    const answer = () => void socket.end(head + body);
    const isFaulty = fault !== undefined && index === faulty;
    if (!isFaulty && !request.startsWith("\x16") && !request.startsWith("CONNECT")) answer();
    if (!isFaulty) return;
    if (fault === "answers after the limit") late.push(answer);
    if (fault === "stalls in the head of its answer") socket.write(head.slice(0, 15));
    if (fault === "stalls in the middle of its answer")
      socket.write(`HTTP/1.1 200 any\r\ncontent-length: 4\r\n\r\ntr`);
  }

  /** Asks, until the question of the cell meets its fault. */
  async function ask(cell: Cell, signal: AbortSignal, clock: TestClock) {
    faulty = cell.index;
    fault = cell.fault;
    if (cell.fault === "is behind a proxy that never opens a tunnel")
      vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${port}`);
    if (cell.fault === "refuses the connection") await end();
    const service = webService(`${urls[cell.fault] ?? "http://127.0.0.1"}:${port}`, {}, clock);
    const outcome: { error?: unknown; answer?: unknown } = {};
    readTopicDeduplication(service, "persistent://public/default/t", signal).then(
      (answer) => {
        outcome.answer = answer;
      },
      (error: unknown) => {
        outcome.error = error;
      },
    );
    const arrives = !(endsByItself.includes(cell.fault) || cell.fault.startsWith("has a name"));
    if (arrives) await until(() => asked > faulty);
    await new Promise(setImmediate);
    return outcome;
  }

  it.each(cells.filter(({ phase }) => phase === "while the source opens"))(
    "ends in time with a retryable error, and is answered once the fault is lifted: $question $fault",
    async (cell) => {
      const clock = new TestClock();
      const signal = new AbortController().signal;
      const outcome = await ask(cell, signal, clock);
      if (!endsByItself.includes(cell.fault)) {
        await clock.advance(withinMs - 1);
        expect(outcome).toEqual({});
        await clock.advance(1);
      }
      await until(() => outcome.error !== undefined);
      expect(outcome.error).toMatchObject({ code: "PIO_PULSAR_UNREACHABLE", retryable: true });
      expect(clock.sleepers).toBe(0);
      for (const answer of late) answer();
      await until(() => sockets.size === 0);
      if (cell.fault === "refuses the connection") await start(port);
      [fault, asked] = [undefined, 0];
      const service = webService(`http://127.0.0.1:${port}`, {}, clock);
      expect(await readTopicDeduplication(service, "persistent://public/default/t", signal)).toBe(true);
    },
  );

  it.each(cells.filter((cell) => cell.phase === "during a stop" && !endsByItself.includes(cell.fault)))(
    "ends at once when it is stopped, and closes its connection: $question $fault",
    async (cell) => {
      const clock = new TestClock();
      const stop = new AbortController();
      const outcome = await ask(cell, stop.signal, clock);
      stop.abort(stopped);
      await until(() => outcome.error !== undefined);
      expect(outcome.error).toBe(stopped);
      await until(() => sockets.size === 0);
      expect(clock.sleepers).toBe(0);
    },
  );
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
