import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt } from "../harness/attempt.ts";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { unusedAddress } from "../harness/unused-address.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const canary = "canary-in-a-coal-mine";
const pasted = {
  awsCredentialPluginName: "",
  awsCredentialPluginParam: JSON.stringify({ accessKey: `AK${canary}`, secretKey: canary }),
};

describeWithStack("a start with secrets", (stack) => {
  let stream: KinesisStream;

  beforeAll(async () => {
    stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName("secrets"), 1);
  });

  afterAll(async () => {
    await stream[Symbol.asyncDispose]();
  });

  it.runIf(process.platform === "linux").concurrent.each([
    { what: "in --source-config", flag: "--source-config", config: pasted, args: [] },
    {
      what: "in --secrets",
      flag: "--secrets",
      config: {},
      args: ["--secrets", JSON.stringify({ unused: canary })],
    },
    {
      what: "in --client-auth-params",
      flag: "--client-auth-params",
      config: {},
      args: ["--client-auth-plugin", "token", "--client-auth-params", `token:${canary}`],
    },
  ])("takes one off the process list, and warns, when it stands $what", async ({ flag, config, args }) => {
    const attempt = new Attempt(stack, stream.name);
    // A broker that is not there keeps the process busy for a while.
    const serviceUrl = `pulsar://${await unusedAddress()}`;
    await using cli = new Cli(attempt.args({ serviceUrl, config, args }));
    await eventually("the warning", () => cli.output.includes("secrets on the command line"));
    expect(cli.output).toContain(`"flags":["${flag}"]`);
    expect(await readFile(`/proc/${cli.pid}/cmdline`, "utf8")).not.toContain(canary);
    expect((await cli.stop()).code).toBe(0);
    expect(cli.output).not.toContain(canary);
    await attempt.expectNothingDone();
  });

  it.concurrent("shows none of them in an error about the setting that holds it", async () => {
    const attempt = new Attempt(stack, stream.name);
    const config = { awsCredentialPluginName: "", awsCredentialPluginParam: `{"accessKey": "${canary}"` };
    const failure = await attempt.fails({ config: { ...config, awsSecretKey: canary } });
    expect(failure).toMatchObject({ exitCode: 2, code: "PIO_INVALID_CONFIG" });
    expect(JSON.stringify(failure)).not.toContain(canary);
    await attempt.expectNothingDone();
  });

  it.concurrent("names the reference, not the value, of a setting that came from elsewhere", async () => {
    const attempt = new Attempt(stack, stream.name);
    const config = { receiveQueueSize: `\${env:QUEUE_SIZE}` };
    expect(await attempt.fails({ config }, { env: { QUEUE_SIZE: canary }, secrets: [canary] })).toMatchObject(
      {
        exitCode: 2,
        error: expect.stringContaining(`receiveQueueSize: must be an integer, got \${env:QUEUE_SIZE}`),
      },
    );
  });

  it.concurrent("says which variable or file of a reference is not there", async () => {
    const attempt = new Attempt(stack, stream.name);
    const config = { awsRegion: `\${env:NOT_SET}`, applicationName: `\${file:/nowhere/name}` };
    const failure = await attempt.fails({ config });
    expect(failure).toMatchObject({ exitCode: 2, error: "the config is not valid: 2 problems" });
    expect(failure.problems).toContainEqual(
      "awsRegion: the environment variable NOT_SET is not set (set NOT_SET where the connector runs)",
    );
    expect(failure.problems).toContainEqual(expect.stringMatching(/^applicationName: .*\/nowhere\/name/));
  });
});
