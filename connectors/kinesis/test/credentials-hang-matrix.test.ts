import { createHash } from "node:crypto";
import dns from "node:dns";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { createAwsClients } from "@pulsar-ts-io/kinesis-consumer";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CredentialMode, credentialProvider } from "../src/credentials.ts";

/** Documented: credentials come, or the call fails, within this time. */
const withinMs = 10_000;
/** Longest time from the end of a fault until credentials come. */
const recoveryMs = 15_000;
/** Longer than the SDKs renew ahead of time. */
const validMs = 400_000;
/** For each cell in real time: the SDK retries with pauses of its own. */
const cellMs = 30_000;
const start = Date.UTC(2026, 5, 1);
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
] as const;
type Fault = (typeof faults)[number];
/** The others are silent: only the limit ends them. */
const endsByItself: readonly Fault[] = ["refuses the connection", "has a name that does not resolve"];

const phases = ["at the start", "while running", "during a stop"] as const;

/** One way to get credentials over the network. */
interface Origin {
  readonly name: string;
  /** The package of the SDK's default chain that gets them; the connector's own settings need none. */
  readonly provider?: string;
  readonly mode?: CredentialMode;
  /** What the environment and the files of a profile say. */
  readonly configure: (url: string, honest: string, home: string) => Readonly<Record<string, string>>;
  /** Faults that it cannot meet. */
  readonly never?: readonly Fault[];
  /** Longest recovery, where the SDK itself makes it longer. */
  readonly recoveryMs?: number;
}

/** Providers of the chain that need no cell: no network, and a command, which credentials.test.ts has. */
const elsewhere = ["@aws-sdk/credential-provider-env", "@aws-sdk/credential-provider-process"];

const hosts: Partial<Record<Fault, string>> = {
  "has a name that does not resolve": "unknown.test",
  "has a name whose resolution never ends": "endless.test",
};

const atAws = {
  region: "eu-west-1",
  kinesis: undefined,
  dynamodb: undefined,
  cloudwatch: undefined,
  cloudwatchUnknown: false,
  leftAtAws: [],
};

const role = { roleArn: "arn:aws:iam::123456789012:role/reader", roleSessionName: "pulsar" } as const;
const keys = { AWS_ACCESS_KEY_ID: "AKIAMASTER", AWS_SECRET_ACCESS_KEY: "master" };

function writeProfile(home: string, lines: readonly string[], cached?: readonly [string, object]): void {
  writeFileSync(join(home, "config"), `${lines.join("\n")}\n`);
  if (cached === undefined) return;
  const [name, token] = cached;
  const folder = join(home, ".aws", "sso", "cache");
  mkdirSync(folder, { recursive: true });
  const file = `${createHash("sha1").update(name).digest("hex")}.json`;
  writeFileSync(join(folder, file), JSON.stringify(token));
}

const account = ["sso_account_id = 123456789012", "sso_role_name = reader"];

const origins: readonly Origin[] = [
  {
    name: "STS AssumeRole of the connector's own setting",
    mode: { kind: "assume-role", ...role },
    configure: () => keys,
  },
  {
    name: "STS AssumeRole of a profile",
    provider: "@aws-sdk/credential-provider-ini",
    configure: (url, _honest, home) => {
      const source = ["aws_access_key_id = AKIAMASTER", "aws_secret_access_key = master"];
      writeProfile(home, [
        "[default]",
        `role_arn = ${role.roleArn}`,
        "source_profile = master",
        "region = eu-west-1",
        "[profile master]",
        ...source,
      ]);
      return { AWS_ENDPOINT_URL_STS: url };
    },
  },
  {
    name: "STS AssumeRoleWithWebIdentity",
    provider: "@aws-sdk/credential-provider-web-identity",
    configure: (url, _honest, home) => {
      writeFileSync(join(home, "token"), "a token");
      return {
        AWS_WEB_IDENTITY_TOKEN_FILE: join(home, "token"),
        AWS_ROLE_ARN: role.roleArn,
        AWS_ENDPOINT_URL_STS: url,
      };
    },
  },
  {
    name: "SSO GetRoleCredentials",
    provider: "@aws-sdk/credential-provider-sso",
    configure: (url, _honest, home) => {
      const startUrl = "https://example.awsapps.com/start";
      writeProfile(
        home,
        ["[default]", `sso_start_url = ${startUrl}`, "sso_region = eu-west-1", ...account],
        [startUrl, { accessToken: "a token", expiresAt: "2126-01-01T00:00:00Z" }],
      );
      return { AWS_ENDPOINT_URL_SSO: url };
    },
  },
  {
    name: "SSO OIDC CreateToken",
    provider: "@aws-sdk/credential-provider-sso",
    configure: (url, honest, home) => {
      // The SDK remembers by this name, for the life of the process, when it asked for a token last.
      const name = basename(home);
      const session = [
        `[sso-session ${name}]`,
        "sso_start_url = https://example.test/start",
        "sso_region = eu-west-1",
      ];
      writeProfile(
        home,
        ["[default]", `sso_session = ${name}`, ...account, ...session],
        [
          name,
          {
            accessToken: "expired",
            expiresAt: "2025-01-01T00:00:00Z",
            clientId: "any",
            clientSecret: "any",
            refreshToken: "any",
          },
        ],
      );
      return { AWS_ENDPOINT_URL_SSO_OIDC: url, AWS_ENDPOINT_URL_SSO: honest };
    },
    // The SDK asks for a new token twice a minute at most.
    recoveryMs: 31_000,
  },
  {
    name: "the container's agent",
    provider: "@aws-sdk/credential-provider-http",
    configure: (url) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials` }),
    // The SDK asks at addresses of this machine alone, unless over TLS.
    never: ["has a name that does not resolve", "has a name whose resolution never ends"],
  },
  {
    name: "the instance metadata service",
    provider: "@smithy/credential-provider-imds",
    configure: (url) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url, AWS_EC2_METADATA_DISABLED: "false" }),
    // The SDK asks it without TLS.
    never: ["stalls in the TLS handshake"],
  },
];

/** What each service answers to a request; credentials are valid from `nowMs` on. */
function honestAnswer(request: string, nowMs: number): string {
  const Expiration = new Date(nowMs + validMs).toISOString();
  const identity = { AccessKeyId: "ASIA", SecretAccessKey: "s", Token: "t", Expiration };
  const [, path = ""] = request.split(" ");
  if (path === "/latest/api/token") return "token";
  if (path === "/latest/meta-data/iam/security-credentials/") return "reader";
  if (path.startsWith("/latest/") || path === "/credentials")
    return JSON.stringify({ Code: "Success", ...identity });
  if (path.startsWith("/federation/")) {
    const roleCredentials = {
      accessKeyId: "ASIA",
      secretAccessKey: "s",
      sessionToken: "t",
      expiration: nowMs + validMs,
    };
    return JSON.stringify({ roleCredentials });
  }
  if (path === "/token") {
    return JSON.stringify({ accessToken: "new", tokenType: "Bearer", expiresIn: 1, refreshToken: "next" });
  }
  const action = request.includes("WithWebIdentity") ? "AssumeRoleWithWebIdentity" : "AssumeRole";
  const credentials = `<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${Expiration}</Expiration>`;
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>${credentials}</Credentials></${action}Result></${action}Response>`;
}

/** A service that gives credentials. While it is faulty, it fails as one cell of the matrix says. */
class Service {
  readonly #server: Server;
  readonly #sockets = new Map<Socket, string>();
  readonly #now: () => number;
  fault: Fault | undefined;
  requests = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#server = createServer((socket) => {
      this.#sockets.set(socket, "");
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("data", (data) => {
        const request = (this.#sockets.get(socket) ?? "") + data.toString("latin1");
        this.#sockets.set(socket, request);
        if (!isWhole(request)) return;
        this.requests += 1;
        this.#reply(socket, request);
      });
    });
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port; // a listening TCP server has such an address
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Answers what was left without an answer. */
  lift(): void {
    const late = this.fault === "answers after the limit";
    this.fault = undefined;
    if (late) for (const [socket, request] of this.#sockets) this.#reply(socket, request);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.keys()) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #reply(socket: Socket, request: string): void {
    const body = honestAnswer(request, this.#now());
    const type = body.startsWith("<") ? "text/xml" : "application/json";
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
    if (this.fault === undefined) {
      this.#sockets.set(socket, "");
      socket.write(head + body);
    }
    if (this.fault === "stalls in the head of its answer") socket.write(head.slice(0, 30));
    if (this.fault === "stalls in the middle of its answer")
      socket.write(head + body.slice(0, body.length / 2));
  }
}

/** A TLS handshake counts as a request: it is all that is ever seen of one. */
function isWhole(request: string): boolean {
  if (request.startsWith("\x16")) return true;
  const [head, body] = request.split("\r\n\r\n", 2);
  if (head === undefined || body === undefined) return false;
  return body.length >= Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

interface Cell {
  readonly origin: Origin;
  readonly source: string;
  readonly fault: Fault;
  readonly phase: (typeof phases)[number];
}

const cells = origins.flatMap((origin) =>
  faults
    .filter((fault) => origin.never?.includes(fault) !== true)
    .flatMap((fault) => phases.map((phase): Cell => ({ origin, source: origin.name, fault, phase }))),
);

describe("every source of credentials", () => {
  let clock: TestClock;
  let home: string;
  let service: Service;
  let honest: Service;
  /** Whether names of hosts do not resolve. */
  let broken: boolean;

  beforeEach(async () => {
    clock = new TestClock({ startMs: start });
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    home = mkdtempSync(join(tmpdir(), "credentials-"));
    for (const name of Object.keys(process.env).filter((key) => key.startsWith("AWS_")))
      vi.stubEnv(name, undefined);
    vi.stubEnv("HOME", home);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_CONFIG_FILE", join(home, "config"));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home, "credentials"));
    service = new Service(() => clock.now());
    honest = new Service(() => clock.now());
    broken = false;
    const { lookup } = dns;
    // As Node calls it for a connection: the name, options, and a callback that comes last.
    vi.spyOn(dns, "lookup").mockImplementation(((...args: Parameters<typeof lookup>) => {
      const [hostname, options] = args;
      if (hostname !== "unknown.test" && hostname !== "endless.test") return lookup(...args);
      const done = args.at(-1) as unknown as (error: Error | null, ...found: unknown[]) => void;
      const all = typeof options === "object" && (options as { all?: boolean } | null)?.all === true;
      const found = all ? [[{ address: "127.0.0.1", family: 4 }]] : ["127.0.0.1", 4];
      if (!broken) setImmediate(() => done(null, ...found));
      else if (hostname === "unknown.test") {
        const error = new Error("getaddrinfo EAI_AGAIN unknown.test");
        setImmediate(() => done(Object.assign(error, { code: "EAI_AGAIN" })));
      }
    }) as typeof lookup);
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    vi.useRealTimers();
    vi.unstubAllEnvs();
    await service.close();
    await honest.close();
    rmSync(home, { recursive: true });
  });

  async function pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await clock.advance(Math.min(stepMs, left));
      vi.setSystemTime(clock.now());
      await turn();
    }
  }

  /** A provider whose source works until it is made to fail as the cell says, and works again once the fault is lifted. */
  async function prepare({ origin, fault }: Cell) {
    const port = await service.listen();
    const honestUrl = `http://127.0.0.1:${await honest.listen()}`;
    const endpoints = { ...atAws, sts: "" };
    const use = (scheme: "http" | "https") => {
      const url = `${scheme}://${hosts[fault] ?? "127.0.0.1"}:${port}`;
      endpoints.sts = url;
      for (const [name, value] of Object.entries(origin.configure(url, honestUrl, home)))
        vi.stubEnv(name, value);
    };
    use("http");
    return {
      provide: credentialProvider(origin.mode ?? { kind: "default-chain" }, endpoints, clock),
      fail: async () => {
        service.fault = fault;
        broken = true;
        if (fault === "stalls in the TLS handshake") use("https");
        if (fault === "refuses the connection") await service.close();
      },
      lift: async () => {
        broken = false;
        if (fault === "stalls in the TLS handshake") use("http");
        if (fault === "refuses the connection") {
          service = new Service(() => clock.now());
          await service.listen(port);
        }
        service.lift();
      },
      /** Whether the request is seen by the service. */
      arrives: !endsByItself.includes(fault) && !(fault in hosts),
    };
  }

  /** Lets the documented time of a call pass, unless it ends before. @returns how long it took. */
  async function ends(call: Outcome, fault: Fault, arrives: boolean): Promise<number> {
    const began = clock.monotonic();
    if (arrives) await until(() => service.requests > 0);
    if (!endsByItself.includes(fault)) await pass(withinMs);
    while (call.error === undefined && clock.monotonic() - began < withinMs) await pass(100, 100);
    await until(() => call.error !== undefined);
    return clock.monotonic() - began;
  }

  /** Asks again, as those who need credentials do, until they come. @returns how long it took. */
  async function recovers(provide: () => Promise<unknown>, limitMs: number): Promise<number> {
    const began = clock.monotonic();
    for (;;) {
      const call = outcomeOf(provide());
      const settled = () => call.error !== undefined || call.answer !== undefined;
      // What needs no time of the clock happens first.
      for (let turns = 0; turns < 100 && !settled(); turns += 1) await turn();
      while (!settled()) await pass(500, 500);
      if (call.answer !== undefined) return clock.monotonic() - began;
      if (clock.monotonic() - began > limitMs) throw call.error;
      await pass(1_000);
    }
  }

  it.each(cells.filter(({ phase }) => phase === "at the start"))(
    "ends in time with a retryable error, and gives credentials once it answers: $source $fault $phase",
    async (cell) => {
      const { provide, fail, lift, arrives } = await prepare(cell);
      await fail();
      for (let call = 0; call < 2; call += 1) {
        service.requests = 0;
        const failed = outcomeOf(provide());
        expect(await ends(failed, cell.fault, arrives && call === 0)).toBeLessThanOrEqual(withinMs);
        expect(failed.error).toMatchObject({ code: "PIO_KINESIS_CREDENTIALS", retryable: true });
      }
      await lift();
      const limitMs = cell.origin.recoveryMs ?? recoveryMs;
      expect(await recovers(provide, limitMs)).toBeLessThanOrEqual(limitMs);
    },
    cellMs,
  );

  it.each(cells.filter(({ phase }) => phase === "while running"))(
    "gives what is valid meanwhile, then ends in time, and renews credentials once it answers: $source $fault $phase",
    async (cell) => {
      const { provide, fail, lift, arrives } = await prepare(cell);
      expect(await provide()).toMatchObject({ accessKeyId: "ASIA" });
      await fail();
      await pass(validMs - 60_000, validMs);
      service.requests = 0;
      const renewing = await provide();
      expect(renewing).toMatchObject({ expiration: new Date(start + validMs) });
      if (arrives) await until(() => service.requests > 0);
      await pass(70_000, 5_000);
      service.requests = 0;
      const failed = outcomeOf(provide());
      expect(await ends(failed, cell.fault, false)).toBeLessThanOrEqual(withinMs);
      expect(failed.error).toMatchObject({ code: "PIO_KINESIS_CREDENTIALS", retryable: true });
      await lift();
      const limitMs = cell.origin.recoveryMs ?? recoveryMs;
      expect(await recovers(provide, limitMs)).toBeLessThanOrEqual(limitMs);
    },
    cellMs,
  );

  it.each(cells.filter(({ phase, fault }) => phase === "during a stop" && !endsByItself.includes(fault)))(
    "ends a call at once when it is stopped, and closes its connections in time: $source $fault $phase",
    async (cell) => {
      const { provide, fail, arrives } = await prepare(cell);
      await fail();
      using clients = createAwsClients({ region: "eu-west-1", credentials: provide, clock });
      const stop = new AbortController();
      const call = outcomeOf(clients.kinesis.authenticate(stop.signal));
      if (arrives) await until(() => service.requests > 0 || call.error !== undefined);
      else await turn();
      expect(call).toEqual({});
      stop.abort(stopped);
      await until(() => call.error !== undefined);
      expect(call.error).toBe(stopped);
      await pass(withinMs);
      await until(() => service.connections === 0, "every connection is closed");
      expect(clock.sleepers).toBe(0);
    },
    cellMs,
  );

  it("is in this matrix, if it is in the SDK's default chain and asks over the network", () => {
    const consumer = createRequire(import.meta.url).resolve("@pulsar-ts-io/kinesis-consumer/package.json");
    const providers = createRequire(realpathSync(consumer)).resolve("@aws-sdk/credential-providers");
    const chain = createRequire(realpathSync(providers)).resolve("@aws-sdk/credential-provider-node");
    const text = readFileSync(join(chain.slice(0, chain.indexOf("/dist-")), "package.json"), "utf8");
    const { dependencies } = JSON.parse(text) as { readonly dependencies: Readonly<Record<string, string>> };
    const parts = Object.keys(dependencies).filter((name) => name.includes("/credential-provider-"));
    const covered = origins.flatMap(({ provider }) => (provider === undefined ? [] : [provider]));
    expect(parts.sort()).toEqual([...new Set([...covered, ...elsewhere])].sort());
  });
});

interface Outcome {
  readonly error?: unknown;
  readonly answer?: unknown;
}

function outcomeOf(promise: Promise<unknown>): Outcome {
  const outcome: { error?: unknown; answer?: unknown } = {};
  promise.then(
    (answer) => {
      outcome.answer = answer ?? true;
    },
    (error: unknown) => {
      outcome.error = error;
    },
  );
  return outcome;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3));
}

async function until(condition: () => boolean, what = condition.toString()): Promise<void> {
  const endMs = performance.now() + cellMs - 5_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not so in time: ${what}`);
    await turn();
  }
}
