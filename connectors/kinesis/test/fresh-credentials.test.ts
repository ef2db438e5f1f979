import type { AwsCredentialIdentity } from "@pulsar-ts-io/kinesis-consumer";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { KinesisCredentialsError } from "../src/errors.ts";
import { freshCredentials } from "../src/fresh-credentials.ts";

/** A source of credentials that a test answers by hand. */
class Source {
  readonly clock = new TestClock();
  readonly attempts: {
    readonly give: (identity: AwsCredentialIdentity) => void;
    readonly refuse: (error: Error) => void;
    abandoned: boolean;
  }[] = [];
  readonly provide = freshCredentials({
    clock: this.clock,
    attempt: () => {
      let give: (identity: AwsCredentialIdentity) => void = () => {};
      let refuse: (error: Error) => void = () => {};
      const identity = new Promise<AwsCredentialIdentity>((resolve, reject) => {
        give = resolve;
        refuse = reject;
      });
      const attempt = { give, refuse, abandoned: false };
      this.attempts.push(attempt);
      return {
        identity,
        abandon: () => {
          attempt.abandoned = true;
        },
      };
    },
    late: (withinMs) => new KinesisCredentialsError(`nothing within ${withinMs} ms`, { retryable: true }),
  });

  /** Calls the provider and keeps what becomes of it. */
  ask(options?: { forceRefresh?: boolean }) {
    const asked: { identity?: AwsCredentialIdentity; error?: unknown } = {};
    this.provide(options).then(
      (identity) => {
        asked.identity = identity;
      },
      (error: unknown) => {
        asked.error = error;
      },
    );
    return asked;
  }

  identity(name: string, forMs?: number): AwsCredentialIdentity {
    const expiration = forMs === undefined ? {} : { expiration: new Date(this.clock.now() + forMs) };
    return { accessKeyId: name, secretAccessKey: "shh", ...expiration };
  }
}

describe("freshCredentials", () => {
  it("fails within 10 s when the source never answers, and asks a new provider for the next call", async () => {
    const source = new Source();
    const first = source.ask();
    await source.clock.advance(10_000);
    expect(first.error).toMatchObject({ code: "PIO_KINESIS_CREDENTIALS", retryable: true });
    expect(source.attempts.every(({ abandoned }) => abandoned)).toBe(true);
    const before = source.attempts.length;
    const second = source.ask();
    await source.clock.settle();
    source.attempts[before]?.give(source.identity("second"));
    await source.clock.settle();
    expect(second.identity?.accessKeyId).toBe("second");
  });

  it("asks a second provider after 4 s of silence and drops the late answer of the first one", async () => {
    const source = new Source();
    const asked = source.ask();
    await source.clock.advance(4_000);
    expect(source.attempts).toHaveLength(2);
    source.attempts[1]?.give(source.identity("second"));
    await source.clock.settle();
    source.attempts[0]?.give(source.identity("late"));
    await source.clock.settle();
    expect(asked.identity?.accessKeyId).toBe("second");
    expect(source.ask()).toEqual({});
    await source.clock.settle();
    expect((await source.provide()).accessKeyId).toBe("second");
    expect(source.attempts.every(({ abandoned }) => abandoned)).toBe(true);
  });

  it("takes the answer of a slow first provider although a second one was asked and refused", async () => {
    const source = new Source();
    const asked = source.ask();
    await source.clock.advance(4_000);
    source.attempts[1]?.refuse(new Error("no"));
    await source.clock.advance(2_000);
    source.attempts[0]?.give(source.identity("slow"));
    await source.clock.settle();
    expect(asked.identity?.accessKeyId).toBe("slow");
  });

  it("reports a refusal at once", async () => {
    const source = new Source();
    const asked = source.ask();
    source.attempts[0]?.refuse(new KinesisCredentialsError("no such profile", { retryable: false }));
    await source.clock.settle();
    expect(asked.error).toMatchObject({ message: "no such profile", retryable: false });
    expect(source.attempts).toHaveLength(1);
  });

  it("shares the attempts among callers at the same time", async () => {
    const source = new Source();
    const asked = [source.ask(), source.ask(), source.ask()];
    source.attempts[0]?.give(source.identity("one"));
    await source.clock.settle();
    expect(asked.map(({ identity }) => identity?.accessKeyId)).toEqual(["one", "one", "one"]);
    expect(source.attempts).toHaveLength(1);
  });

  it("keeps giving valid credentials while their renewal fails, and reports a failure as retryable once they have expired", async () => {
    const source = new Source();
    source.ask();
    source.attempts[0]?.give(source.identity("role", 600_000));
    await source.clock.settle();
    await source.clock.advance(400_000);
    const renewing = source.ask();
    await source.clock.settle();
    expect(renewing.identity?.accessKeyId).toBe("role");
    source.attempts[1]?.refuse(new KinesisCredentialsError("the session is over", { retryable: false }));
    await source.clock.settle();
    expect((await source.provide()).accessKeyId).toBe("role");
    expect(source.attempts).toHaveLength(2);
    await source.clock.advance(200_000);
    const expired = source.ask();
    await source.clock.settle();
    source.attempts[2]?.refuse(new KinesisCredentialsError("the session is over", { retryable: false }));
    await source.clock.settle();
    expect(expired.error).toMatchObject({ message: "the session is over", retryable: true });
  });

  it("renews credentials that AWS calls expired, and does so once for all services", async () => {
    const source = new Source();
    source.ask();
    source.attempts[0]?.give(source.identity("old"));
    await source.clock.settle();
    await source.clock.advance(60_000);
    const services = [source.ask({ forceRefresh: true }), source.ask({ forceRefresh: true })];
    source.attempts[1]?.give(source.identity("new"));
    await source.clock.settle();
    expect(services.map(({ identity }) => identity?.accessKeyId)).toEqual(["new", "new"]);
    const third = source.ask({ forceRefresh: true });
    await source.clock.settle();
    expect(third.identity?.accessKeyId).toBe("new");
    expect(source.attempts).toHaveLength(2);
  });
});
