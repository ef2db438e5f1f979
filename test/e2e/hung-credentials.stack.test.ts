import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { sourceConfig } from "../harness/pipeline.ts";

/** A second, and what a loaded machine adds to it. */
const stopMs = 6_000;
/** Nothing is asked before the credentials are there. */
const nowhere = "http://127.0.0.1:9";

interface Command {
  readonly words: string;
  readonly args?: readonly string[];
  /** Documented in docs/exit-codes.md, seconds; a first start ends sooner. */
  readonly limitSeconds: number;
  /** After SIGTERM. */
  readonly stopped: number;
}

const commands: readonly Command[] = [
  { words: "run --output console", limitSeconds: 60, stopped: 0 },
  { words: "run --output console --dry-run 1", limitSeconds: 60, stopped: 143 },
  { words: "check", limitSeconds: 60, stopped: 143 },
  { words: "partitions", limitSeconds: 60, stopped: 143 },
  { words: "partitions reset --to LATEST --yes", limitSeconds: 300, stopped: 143 },
];

describe("while the container's agent accepts requests for credentials and never answers", () => {
  const sockets = new Set<Socket>();
  let agent: Server;
  let url: string;
  let requests = 0;

  beforeAll(async () => {
    agent = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.once("data", () => {
        requests += 1;
      });
    });
    agent.listen(0, "127.0.0.1");
    await once(agent, "listening");
    url = `http://127.0.0.1:${(agent.address() as AddressInfo).port}`; // it listens on TCP
  });

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    agent.close();
  });

  function start({ words }: Command): Cli {
    const config = sourceConfig({
      kinesisEndpoint: nowhere,
      dynamoEndpoint: nowhere,
      streamName: "orders",
      applicationName: "orders",
    });
    const args = [...words.split(" "), "--source-type", "kinesis", "--source-config", JSON.stringify(config)];
    const env = {
      HOME: "/nonexistent",
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials`,
    };
    return new Cli(args, { env });
  }

  it.concurrent.each(commands)(
    "`$words` ends by itself with 4, within $limitSeconds s, and says what does not answer",
    { timeout: 320_000 },
    async (command) => {
      await using cli = start(command);
      const began = performance.now();
      expect(await cli.exited, cli.output).toEqual({ code: 4, signal: null });
      expect(performance.now() - began).toBeLessThan(command.limitSeconds * 1_000);
      expect(cli.output).toContain("gave no AWS credentials within 10 s");
      expect(cli.output).toMatch(/PIO_KINESIS_CREDENTIALS|PIO_CHECK_FAILED/);
      expect(cli.output).toContain("check that the source of the credentials answers");
      // The SDK prints warnings of its own otherwise.
      for (const line of cli.stderr) expect(line).toMatch(/^(?:\{.*\}|(?:error|remedy): .*|)$/);
    },
  );

  it("ends every command that asks for credentials within a second after SIGTERM: a run with 0", {
    timeout: 120_000,
  }, async () => {
    for (const command of commands) {
      const before = requests;
      await using cli = start(command);
      await eventually("a request for credentials", () => requests > before);
      const began = performance.now();
      cli.kill("SIGTERM");
      const { code, signal } = await cli.exited;
      expect(performance.now() - began, command.words).toBeLessThan(stopMs);
      expect(code ?? (signal === "SIGTERM" ? 143 : signal), cli.output).toBe(command.stopped);
    }
  });
});
