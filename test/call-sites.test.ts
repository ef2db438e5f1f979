import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../", import.meta.url);

/**
 * Every module that can open a connection or send a request, and the test that shows its calls end in time whatever hangs.
 *
 * A module that is missing here fails the test: list it with a test that makes each of its calls hang.
 */
const callSites: Readonly<Record<string, string>> = {
  "packages/kinesis-consumer/src/aws-clients.ts": "packages/kinesis-consumer/test/hang-matrix.test.ts",
  "packages/kinesis-consumer/src/aws-credential-providers.ts":
    "connectors/kinesis/test/credentials-hang-matrix.test.ts",
  "packages/kinesis-consumer/src/aws-request-handler.ts":
    "packages/kinesis-consumer/test/hang-matrix.test.ts",
  "packages/kinesis-consumer/src/wide-http2-handler.ts": "packages/kinesis-consumer/test/hang-matrix.test.ts",
  "packages/kinesis-consumer/src/http-proxy.ts": "packages/kinesis-consumer/test/hang-matrix.test.ts",
  "connectors/kinesis/src/credentials.ts": "connectors/kinesis/test/credentials-hang-matrix.test.ts",
  "packages/pulsar/src/connection/dial.ts": "packages/pulsar/test/hang-matrix.test.ts",
  "packages/pulsar/src/connection/proxy-connection.ts": "packages/pulsar/test/http-proxy.test.ts",
  "packages/pulsar/src/admin/web-service.ts": "packages/pulsar/test/admin/web-service-hang-matrix.test.ts",
  "runtime/src/cli/status-command.ts": "runtime/test/cli/every-command-stops.stack.test.ts",
};

/** Modules that use the same parts of Node for something else. */
const noCallSites: Readonly<Record<string, string>> = {
  "packages/pulsar/src/auth/tls.ts": "reads certificates",
  "runtime/src/observe/http/http-server.ts": "listens",
  "runtime/src/observe/http/host-check.ts": "reads addresses",
};

/** What a module needs to reach anything outside the process. */
const ways: readonly RegExp[] = [
  // Static and dynamic imports of Node's own modules. An import of types alone opens nothing.
  /^(?:import|export) (?!type\b)[^;]*?\bfrom "(?:node:)?(?:net|tls|http|https|http2|dns|dgram|quic)(?:\/promises)?"/m,
  /\b(?:import|require|getBuiltinModule)\(\s*"(?:node:)?(?:net|tls|http|https|http2|dns|dgram)(?:\/promises)?"/,
  // The global functions, called or handed on. `this.#host.fetch` and `readonly fetch:` are neither.
  /(?<![\w.#"'`])fetch(?=\s*\()|(?:[=(?:,]|=>|\?\?)\s*fetch\b(?!\s*[?:])|globalThis\.(?:fetch|WebSocket|EventSource)/,
  /\bnew (?:WebSocket|EventSource)\(/,
  // Libraries that send requests. The SDK's commands send nothing by themselves.
  /^(?:import|export) (?!type\b)[^;]*?\bfrom "(?:@smithy\/node-http-handler|undici|ws|https?-proxy-agent|@aws-sdk\/credential-provider[^"]*|@aws-sdk\/client-sts)"/m,
  // The SDK's providers of credentials, as the consumer hands them on.
  /^import (?!type\b)[^;]*?\bfrom(?:NodeProviderChain|TemporaryCredentials)\b[^;]*?\bfrom "@pulsar-ts-io\//m,
  /^import (?!type\b)[^;]*?\b(?:Kinesis|DynamoDB|CloudWatch)Client\b[^;]*?\bfrom "@aws-sdk\/client-/m,
];

/** The testkit and the template of a new connector run in tests alone. */
const folders = ["core", "config", "kinesis-consumer", "pulsar"]
  .map((name) => `packages/${name}/src`)
  .concat("runtime/src", "connectors/kinesis/src", "connectors/data-generator/src");

function modules(): readonly { readonly name: string; readonly text: string }[] {
  return folders.flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => {
        const text = readFileSync(new URL(`${folder}/${name}`, root), "utf8");
        return { name: `${folder}/${name}`, text: text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "") };
      }),
  );
}

describe("every module that opens a connection", () => {
  it("is listed with the test that lets its calls hang", () => {
    const open = modules().filter(({ text }) => ways.some((way) => way.test(text)));
    const listed = [...Object.keys(callSites), ...Object.keys(noCallSites)];
    expect(open.map(({ name }) => name).sort()).toEqual(listed.sort());
  });

  it.each(Object.entries(callSites))("has such a test: %s in %s", (_module, test) => {
    expect(readFileSync(new URL(test, root), "utf8")).toMatch(/never answers|hang|within|did not answer/);
  });

  it.each([
    'import { connect } from "node:net";',
    'import {\n  connect,\n} from "node:tls";',
    'import * as http from "http";',
    'const { request } = await import("node:https");',
    'const net = process.getBuiltinModule("net");',
    "await fetch(url);",
    "const send = host.fetch ?? fetch;",
    "load({ get: fetch, url })",
    "globalThis.fetch(url)",
    'new WebSocket("ws://x")',
    'import { fromTokenFile } from "@aws-sdk/credential-providers";',
    'export { fromTokenFile } from "@aws-sdk/credential-providers";',
    'import {\n  createRequestHandler,\n  fromNodeProviderChain,\n} from "@pulsar-ts-io/kinesis-consumer";',
    'import { KinesisClient } from "@aws-sdk/client-kinesis";',
    'import { Agent } from "undici";',
  ])("is recognized by what it contains: %j", (text) => {
    expect(ways.some((way) => way.test(text))).toBe(true);
  });

  it.each([
    'import type { Socket } from "node:net";',
    "await this.#host.fetch(url);",
    "readonly fetch?: typeof fetch | undefined;",
    "const fetched = await this.#fetch(grant);",
    'import { GetItemCommand } from "@aws-sdk/client-dynamodb";',
  ])("is not mistaken: %j", (text) => {
    expect(ways.some((way) => way.test(text))).toBe(false);
  });
});
