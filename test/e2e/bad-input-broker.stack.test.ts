import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt, type AttemptChanges } from "../harness/attempt.ts";
import { unreachableMs } from "../harness/failed-start.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const canary = "canary-in-a-coal-mine";
const java = "org.apache.pulsar.client.impl.auth.Authentication";
const authOptions = "(--client-auth-plugin, --client-auth-params)";
const urlOptions = "(--broker-service-url)";

const auth = (plugin: string, params: string): AttemptChanges => ({
  args: ["--client-auth-plugin", plugin, "--client-auth-params", params],
});

interface Row {
  readonly what: string;
  readonly changes: AttemptChanges;
  readonly code: string;
  readonly error: string;
  readonly remedy: string;
}

/** What is wrong by itself: nobody has to be asked. */
const rows: readonly Row[] = [
  ...["localhost:6650", "pulsar://", "pulsar://a/b", "kafka://a:9092", "pulsar://::1:6650"].map(
    (serviceUrl) => ({
      what: `the service URL ${serviceUrl}`,
      changes: { serviceUrl },
      code: "PIO_INVALID_SERVICE_URL",
      error: `"${serviceUrl}" is no Pulsar service URL`,
      remedy: urlOptions,
    }),
  ),
  {
    what: "a port that is none",
    changes: { serviceUrl: "pulsar://localhost:66500" },
    code: "PIO_INVALID_SERVICE_URL",
    error: "66500 is no port",
    remedy: urlOptions,
  },
  {
    what: "a service URL with a password in it",
    changes: { serviceUrl: `pulsar://jane:${canary}@localhost:6650` },
    code: "PIO_INVALID_SERVICE_URL",
    error: '"pulsar://…@localhost:6650" is no Pulsar service URL',
    remedy: urlOptions,
  },
  {
    what: "a key store of Java's",
    changes: auth(`${java}KeyStoreTls`, `{"keyStorePassword":"${canary}"}`),
    code: "PIO_UNSUPPORTED_AUTHENTICATION",
    error: "AuthenticationKeyStoreTls is not supported",
    remedy: "export certificate and key as PEM files",
  },
  ...["Athenz", "Sasl"].map((name) => ({
    what: `the plugin ${name}`,
    changes: auth(`${java}${name}`, `{"secret":"${canary}"}`),
    code: "PIO_UNSUPPORTED_AUTHENTICATION",
    error: `Authentication${name} is not supported`,
    remedy: "use the native transport",
  })),
  {
    what: "a token in the place of its plugin",
    changes: auth(`eyJhbGciOiJIUzI1NiJ9.${canary}`, ""),
    code: "PIO_UNSUPPORTED_AUTHENTICATION",
    error: "the authentication plugin that was given is not supported",
    remedy: "AuthenticationToken",
  },
  ...(
    [
      [`${java}Token`, "", "there are none"],
      ["token", `{"token":"${canary}"`, "they begin with { and are no JSON"],
      ["token", `{"tokn":"${canary}"}`, "token is missing"],
      ["basic", `jane:${canary}`, "they are no JSON"],
      [`${java}Basic`, `{"userId":"jane","pass":"${canary}"}`, "password is missing"],
      ["tls", "tlsCertFile:/c.pem", "tlsKeyFile is missing"],
      ["oauth2", `{"privateKey":"data:application/json,${canary}"}`, "issuerUrl is missing"],
      ["oauth2", `{"issuerUrl":"https://i","privateKey":"${canary}"}`, "privateKey is neither file:///path"],
    ] as const
  ).map(([plugin, params, why]) => ({
    what: `parameters of ${plugin} of which ${why}`,
    changes: auth(plugin, params),
    code: "PIO_INVALID_AUTHENTICATION",
    error: `the parameters of the authentication plugin ${plugin.replace(java, "").toLowerCase()} are not valid: ${why}`,
    remedy: authOptions,
  })),
  {
    what: "a file URL with a host",
    changes: auth("token", "file://run/secrets/token"),
    code: "PIO_INVALID_AUTHENTICATION",
    error: "file://run/secrets/token names no local file",
    remedy: "with three slashes",
  },
  {
    what: "a certificate without TLS",
    changes: auth(`${java}Tls`, "tlsCertFile:/c.pem,tlsKeyFile:/k.pem"),
    code: "PIO_INVALID_AUTHENTICATION",
    error: "is no TLS address",
    remedy: "--use-tls",
  },
  ...["--use-tls", "--tls-allow-insecure", "--hostname-verification-enabled"].map((flag) => ({
    what: `${flag} perhaps`,
    changes: { args: [flag, "perhaps"] },
    code: "PIO_USAGE",
    error: `${flag} must be true or false, got perhaps`,
    remedy: "write true or false",
  })),
  {
    what: "a compression that does not exist",
    changes: { args: ["--producer-config", '{"compressionType":"BROTLI"}'] },
    code: "PIO_INVALID_CONFIG",
    error: "producerConfig.compressionType: must be one of NONE, LZ4, ZLIB, ZSTD, SNAPPY, got",
    remedy: "correct it as said above",
  },
  {
    what: "a producer config that is no JSON",
    changes: { args: ["--producer-config", '{"compressionType":'] },
    code: "PIO_CONFIG_SYNTAX",
    error: "--producer-config is not valid JSON at line 1",
    remedy: "",
  },
  {
    what: "secrets that are no JSON",
    changes: { args: ["--secrets", `{"a":"${canary}"`] },
    code: "PIO_CONFIG_SYNTAX",
    error: "--secrets is not valid JSON at line 1",
    remedy: "",
  },
];

describeWithStack("a start that cannot reach its broker as it was told to", (stack) => {
  let stream: KinesisStream;
  let folder: string;
  let hangingUp: Server;

  beforeAll(async () => {
    stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName("bad-broker"), 1);
    folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-bad-broker-"));
    hangingUp = createServer((socket) => socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => hangingUp.listen(0, "127.0.0.1", resolve));
  });

  afterAll(async () => {
    hangingUp.close();
    await stream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it.concurrent.each(rows)("ends with 2 and opens nothing: $what", async ({ changes, ...expected }) => {
    const attempt = new Attempt(stack, stream.name);
    const failure = await attempt.fails(changes);
    expect(failure).toMatchObject({
      exitCode: 2,
      code: expected.code,
      error: expect.stringContaining(expected.error),
      problems: [],
      remedy: expect.stringContaining(expected.remedy),
    });
    expect(JSON.stringify(failure)).not.toContain(canary);
    await attempt.expectNothingDone();
  });

  /** Fails with 5, in time, and creates nothing. */
  async function failsToPublish(changes: AttemptChanges, env: NodeJS.ProcessEnv = {}) {
    const attempt = new Attempt(stack, stream.name);
    const failure = await attempt.fails(changes, { withinMs: unreachableMs, env });
    expect(failure).toMatchObject({ exitCode: 5, problems: [] });
    expect(JSON.stringify(failure)).not.toContain(canary);
    await attempt.expectNoTable();
    return failure;
  }

  it.concurrent("says that the host is not known", async () => {
    expect(await failsToPublish({ serviceUrl: "pulsar://no-such-host.invalid:6650" })).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      error: expect.stringMatching(/no connection to no-such-host\.invalid:6650: .*(ENOTFOUND|EAI_AGAIN)/),
      remedy: `check the service URL, and that the broker runs and can be reached from here ${urlOptions}`,
    });
  });

  it.concurrent("says that the port is not the binary protocol's", async () => {
    const admin = new URL(stack.pulsarAdminUrl);
    expect(await failsToPublish({ serviceUrl: `pulsar://${admin.host}` })).toMatchObject({
      code: expect.stringMatching(/^PIO_PULSAR_(PROTOCOL|UNREACHABLE)$/),
      remedy: expect.stringMatching(/binary port.* \(--broker-service-url\)$/),
    });
  });

  it.concurrent("says that whoever listens there hangs up", async () => {
    const address = hangingUp.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await failsToPublish({ serviceUrl: `pulsar://127.0.0.1:${port}` })).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      error: expect.stringContaining(`127.0.0.1:${port} hung up before it answered the handshake`),
      remedy: expect.stringContaining("pulsar+ssl://"),
    });
  });

  it.concurrent("says that the broker's port does not speak TLS", async () => {
    expect(await failsToPublish({ args: ["--use-tls", "true"] })).toMatchObject({
      code: "PIO_PULSAR_TLS",
      error: expect.stringContaining("the other side does not speak it"),
      remedy: expect.stringContaining("pulsar:// for the plain one"),
    });
  });

  it.concurrent("says what is wrong with the trusted certificates", async () => {
    const junk = join(folder, "trust.pem");
    await writeFile(junk, canary);
    for (const [path, why] of [
      [join(folder, "nowhere.pem"), "could not be read from"],
      [junk, "holds no certificate in PEM"],
    ] as const) {
      expect(await failsToPublish({ args: ["--use-tls", "--tls-trust-cert-path", path] })).toMatchObject({
        code: "PIO_PULSAR_TLS",
        error: expect.stringMatching(new RegExp(`${why}|${path}.*${why}`)),
        remedy: expect.stringContaining("--tls-trust-cert-path"),
      });
    }
  });

  it.concurrent("says which file or variable of the credentials is not there, or holds something else", async () => {
    const junk = join(folder, "key.json");
    await writeFile(junk, canary);
    const nowhere = join(folder, "nowhere");
    const oauth2 = (key: string) =>
      JSON.stringify({ issuerUrl: "https://i.invalid", privateKey: `file:${key}` });
    for (const [plugin, params, why] of [
      ["token", `file://${nowhere}`, `the token could not be read from ${nowhere}`],
      ["token", "env:NOT_SET", "the environment variable NOT_SET for the token is not set"],
      ["token", "env:BLANK", "the authentication token holds blanks"],
      ["basic", `file:${nowhere}`, `user and password could not be read from ${nowhere}`],
      ["oauth2", oauth2(nowhere), `the key file could not be read from ${nowhere}`],
      ["oauth2", oauth2(junk), "the parameters of the authentication plugin oauth2 are not valid"],
    ] as const) {
      expect(await failsToPublish(auth(plugin, params), { BLANK: `a ${canary}` })).toMatchObject({
        code: "PIO_INVALID_AUTHENTICATION",
        error: expect.stringContaining(why),
        remedy: expect.stringContaining(authOptions),
      });
    }
  });

  it.concurrent("says that who issues the access tokens cannot be reached", async () => {
    const privateKey = `data:application/json,${encodeURIComponent(`{"client_id":"a","client_secret":"${canary}"}`)}`;
    const params = JSON.stringify({ issuerUrl: "http://127.0.0.1:1/tenant", privateKey });
    expect(await failsToPublish(auth("oauth2", params))).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      error: expect.stringContaining("no access token from http://127.0.0.1:1/tenant"),
      remedy: expect.stringContaining(authOptions),
    });
  });
});
