import { Readable } from "node:stream";
import { GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import type { AwsCredentialIdentity } from "../src/aws-clients.ts";
import { readAwsFailure } from "../src/aws-failure.ts";
import { AwsService } from "../src/aws-service.ts";

interface SentRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

type Answer = (request: SentRequest) => { readonly status: number; readonly body: object };

const { signal } = new AbortController();
/** What two equal calls at different times do not have in common. */
const differing = ["amz-sdk-invocation-id", "authorization", "x-amz-date"];

/** A client that keeps its requests, and counts the calls that went through the SDK's chain. */
function serviceWith(often: readonly (typeof GetRecordsCommand)[], oftenAgain = false) {
  const sent: SentRequest[] = [];
  const state = {
    chains: 0,
    identity: { accessKeyId: "first", secretAccessKey: "any" } as AwsCredentialIdentity,
    answer: (() => ({ status: 200, body: { Records: [], NextShardIterator: "next" } })) as Answer,
  };
  const client = new KinesisClient({
    region: "eu-west-1",
    maxAttempts: 1,
    customUserAgent: [["pulsar-ts-io", "1.2.3"]],
    credentials: () => Promise.resolve({ ...state.identity, expiration: new Date(0) }),
    requestHandler: {
      handle: async (request: SentRequest) => {
        sent.push(request);
        const { status: statusCode, body } = state.answer(request);
        const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": "r-1" };
        const text = Buffer.from(JSON.stringify(body));
        return { response: { statusCode, headers, body: Readable.from([text]) } };
      },
    },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      state.chains += 1;
      return next(args);
    },
    { step: "initialize", name: "countChains" },
  );
  const service = new AwsService(client, {
    clock: new TestClock(),
    callWithinMs: 8_000,
    customEndpoint: false,
    often,
    oftenAgain,
  });
  const call = (ShardIterator: string) =>
    service.call(new GetRecordsCommand({ ShardIterator, Limit: 5 }), signal);
  return { call, sent, state };
}

function plain({ protocol, hostname, path, method, headers, body }: SentRequest) {
  const kept = Object.entries(headers).filter(([name]) => !differing.includes(name));
  return {
    protocol,
    hostname,
    path,
    method,
    headers: Object.fromEntries(kept),
    body: new TextDecoder().decode(body),
  };
}

describe("a call that is made often", () => {
  it("is the request that the SDK's chain makes, without the chain", async () => {
    const direct = serviceWith([GetRecordsCommand]);
    const chained = serviceWith([]);
    for (const { call } of [direct, chained])
      for (const iterator of ["one", "two", "three"]) await call(iterator);
    expect([direct.state.chains, chained.state.chains]).toEqual([1, 3]);
    expect(direct.sent.map(plain)).toEqual(chained.sent.map(plain));
    const [, byDirect] = direct.sent;
    expect(byDirect?.headers["user-agent"]).toContain("pulsar-ts-io/1.2.3");
    expect(byDirect?.headers["content-length"]).toBe(String(byDirect?.body.length));
  });

  it("is signed for the headers that the SDK signs, at its own time, with the identity of the moment", async () => {
    const { call, sent, state } = serviceWith([GetRecordsCommand]);
    await call("one");
    state.identity = { accessKeyId: "second", secretAccessKey: "other", sessionToken: "session" };
    await call("two");
    await call("three");
    const [first, second, third] = sent.map(({ headers }) => headers);
    const signedHeaders = (headers = first) =>
      /SignedHeaders=([^,]*)/.exec(headers?.["authorization"] ?? "")?.[1];
    expect(signedHeaders(second)?.split(";")).toEqual(
      [...(signedHeaders()?.split(";") ?? []), "x-amz-security-token"].sort(),
    );
    expect(second?.["authorization"]).toContain("Credential=second/");
    expect(second?.["x-amz-security-token"]).toBe("session");
    expect(third?.["authorization"]).not.toBe(second?.["authorization"]);
    expect(third?.["amz-sdk-invocation-id"]).not.toBe(second?.["amz-sdk-invocation-id"]);
  });

  it("fails as through the chain, and goes through the chain after that", async () => {
    const { call, state } = serviceWith([GetRecordsCommand]);
    await call("one");
    const answered = state.answer;
    state.answer = () => ({
      status: 400,
      body: { __type: "ProvisionedThroughputExceededException", message: "slow down" },
    });
    const [direct, chained] = [
      await call("two").catch(readAwsFailure),
      await call("three").catch(readAwsFailure),
    ];
    expect(state.chains).toBe(2);
    expect(direct).toMatchObject({
      name: "ProvisionedThroughputExceededException",
      status: 400,
      attempts: 1,
    });
    expect({ ...direct, cause: undefined }).toEqual({ ...chained, cause: undefined });
    state.answer = answered;
    await call("four");
    await call("five");
    expect(state.chains).toBe(3);
  });

  it("fails with the status of an answer that cannot be read", async () => {
    const { call, state } = serviceWith([GetRecordsCommand]);
    await call("one");
    state.answer = () => ({ status: 200, body: { Records: 5, NextShardIterator: 7 } });
    await call("two").catch((error: unknown) => expect(readAwsFailure(error)).toMatchObject({ status: 200 }));
  });

  it("is sent once more where it may be, and a refusal says then that an attempt came before it", async () => {
    const { call, sent, state } = serviceWith([GetRecordsCommand], true);
    await call("one");
    const answers: Answer[] = [
      () => {
        throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
      },
      () => ({ status: 400, body: { __type: "ConditionalCheckFailedException", message: "no" } }),
    ];
    state.answer = (request) => answers.shift()?.(request) ?? { status: 200, body: {} };
    const failure = await call("two").catch(readAwsFailure);
    expect(failure).toMatchObject({ name: "ConditionalCheckFailedException", status: 400, attempts: 2 });
    expect([sent.length, state.chains]).toEqual([3, 2]);
    answers.push(() => ({ status: 400, body: { __type: "ConditionalCheckFailedException", message: "no" } }));
    await call("three").catch(() => {});
    await call("four");
    answers.push(() => ({ status: 400, body: { __type: "ConditionalCheckFailedException", message: "no" } }));
    expect(await call("five").catch(readAwsFailure)).toMatchObject({ attempts: 1 });
  });

  it("is not sent again where it may not be", async () => {
    const { call, sent, state } = serviceWith([GetRecordsCommand]);
    await call("one");
    state.answer = () => {
      throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    };
    await expect(call("two")).rejects.toThrow("ECONNRESET");
    expect(sent).toHaveLength(2);
  });
});
