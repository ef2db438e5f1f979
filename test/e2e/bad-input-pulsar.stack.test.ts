import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalPulsar, mintToken, newTokenSecret, PulsarAdmin, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt } from "../harness/attempt.ts";
import { unreachableMs } from "../harness/failed-start.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { unusedAddress } from "../harness/unused-address.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

describeWithStack("a start that Pulsar refuses", (stack) => {
  let stream: KinesisStream;

  beforeAll(async () => {
    stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName("bad-pulsar"), 1);
  });

  afterAll(async () => {
    await stream[Symbol.asyncDispose]();
  });

  it.concurrent("names the address when no broker can be reached", async () => {
    const attempt = new Attempt(stack, stream.name);
    const address = await unusedAddress();
    const serviceUrl = `pulsar://${address}`;
    expect(await attempt.fails({ serviceUrl }, { withinMs: unreachableMs })).toMatchObject({
      exitCode: 5,
      code: "PIO_PULSAR_UNREACHABLE",
      error: `publishing to Pulsar failed: no connection to ${address}: nothing listens there (ECONNREFUSED)`,
      remedy:
        "check the service URL, and that the broker runs and can be reached from here (--broker-service-url)",
    });
    await attempt.expectNothingDone();
  });

  it.concurrent("names the tenant and the namespace that are not there", async () => {
    const tenant = uniqueName("tenant");
    await new PulsarAdmin(stack.pulsarAdminUrl).createTenant(tenant);
    for (const topic of [
      "persistent://nobody/default/orders",
      "persistent://public/nothing/orders",
      `persistent://${tenant}/default/orders`,
    ]) {
      const attempt = new Attempt(stack, stream.name);
      expect(await attempt.fails({ topic })).toMatchObject({
        exitCode: 5,
        code: "PIO_TOPIC_NOT_FOUND",
        error: `publishing to Pulsar failed: topic ${topic} was refused: TopicNotFound: Namespace not found`,
        remedy:
          "check the tenant and the namespace in the topic's name, or create them first: pulsar-admin namespaces create (--destination-topic-name)",
      });
      await attempt.expectNoTable();
    }
  });

  it.concurrent("says that a topic is terminated", async () => {
    const attempt = new Attempt(stack, stream.name);
    const admin = new PulsarAdmin(stack.pulsarAdminUrl);
    await admin.createTopic(attempt.topic);
    await admin.terminate(attempt.topic);
    expect(await attempt.fails({})).toMatchObject({
      exitCode: 5,
      code: "PIO_TOPIC_TERMINATED",
      error: expect.stringContaining(attempt.topic),
      remedy: "publish to another topic: a terminated one stays so (--destination-topic-name)",
    });
    await attempt.expectNoTable();
  });
});

describeWithStack("a start without the rights that a broker with tokens demands", (stack) => {
  let stream: KinesisStream;
  let broker: LocalPulsar;
  let folder: string;

  beforeAll(async () => {
    [stream, broker, folder] = await Promise.all([
      KinesisStream.create(stack.kinesisEndpoint, uniqueName("bad-token"), 1),
      startPulsar({ token: true }),
      mkdtemp(join(tmpdir(), "pulsar-ts-io-bad-token-")),
    ]);
  });

  afterAll(async () => {
    await Promise.all([
      stream[Symbol.asyncDispose](),
      broker[Symbol.asyncDispose](),
      rm(folder, { recursive: true }),
    ]);
  });

  /** A start with the token from `params`; nothing was created of it, whatever the token is. */
  async function failsWith(params: string | undefined, token: string) {
    const attempt = new Attempt(stack, stream.name);
    const args =
      params === undefined ? [] : ["--client-auth-plugin", "token", "--client-auth-params", params];
    const failure = await attempt.fails(
      { serviceUrl: broker.serviceUrl, args },
      { env: { BAD_INPUT_TOKEN: token }, secrets: [token] },
    );
    await attempt.expectNoTable();
    const admin = new PulsarAdmin(broker.adminUrl, { token: broker.token });
    expect(await admin.request("GET", "persistent/public/default")).not.toContain(attempt.topic);
    return { failure, attempt };
  }

  it.concurrent("says that the token is wrong", async () => {
    const forged = mintToken(newTokenSecret(), "admin");
    const file = join(folder, "forged");
    await writeFile(file, forged);
    for (const params of ["env:BAD_INPUT_TOKEN", `file://${file}`]) {
      expect((await failsWith(params, forged)).failure).toMatchObject({
        exitCode: 5,
        code: "PIO_PULSAR_AUTHENTICATION",
        error: `publishing to Pulsar failed: the connection to ${broker.serviceUrl.slice("pulsar://".length)} was refused: AuthenticationError: Failed to authenticate`,
        remedy: expect.stringContaining("a token may be wrong or expired"),
      });
    }
  });

  it.concurrent("asks for an authentication plugin when none is given", async () => {
    expect((await failsWith(undefined, "none at all")).failure).toMatchObject({
      exitCode: 5,
      code: "PIO_PULSAR_AUTHENTICATION",
      remedy: expect.stringMatching(/^give the authentication plugin and the parameters/),
    });
  });

  it.concurrent("says where the token could not be read from", async () => {
    const file = join(folder, "nowhere");
    expect((await failsWith(`file://${file}`, "none at all")).failure).toMatchObject({
      exitCode: 5,
      code: "PIO_INVALID_AUTHENTICATION",
      error: `publishing to Pulsar failed: the token could not be read from ${file}`,
      remedy:
        "check that the file exists and that this process may read it (--client-auth-plugin, --client-auth-params)",
    });
  });

  it.concurrent("says that the role may not produce to the topic", async () => {
    const { failure, attempt } = await failsWith("env:BAD_INPUT_TOKEN", broker.tokenFor("somebody"));
    expect(failure).toMatchObject({
      exitCode: 5,
      code: "PIO_PULSAR_AUTHORIZATION",
      error: expect.stringContaining(`topic ${attempt.topic} was refused: AuthorizationError`),
      remedy:
        "let an administrator grant this role the right to produce to the topic (--client-auth-plugin, --client-auth-params)",
    });
  });
});
