import { PulsarAdmin } from "@pulsar-ts-io/testkit";
import { expect } from "vitest";
import { type RunningStack, uniqueName, uniqueTopic } from "../stack.ts";
import { type FailedStart, type FailedStartOptions, failedStart } from "./failed-start.ts";
import { LeaseRows } from "./lease-rows.ts";
import { sourceConfig } from "./pipeline.ts";

/** What differs from a start that would succeed. */
export interface AttemptChanges {
  /** Settings of the connector; `undefined` leaves one out. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The whole value of `--source-config`. */
  readonly configText?: string;
  readonly topic?: string;
  readonly serviceUrl?: string;
  /** Default kinesis. */
  readonly sourceType?: string;
  readonly args?: readonly string[];
}

/** One start that must fail: all is there for it to succeed, but for what the test changes. Its table and topic are its own. */
export class Attempt {
  readonly applicationName: string = uniqueName("bad-input");
  readonly topic: string = uniqueTopic("bad-input");
  readonly #stack: RunningStack;
  readonly #streamName: string;

  /** @param streamName a stream that exists. */
  constructor(stack: RunningStack, streamName: string) {
    this.#stack = stack;
    this.#streamName = streamName;
  }

  /** The command line of the source. */
  args(changes: AttemptChanges = {}): string[] {
    const { pulsarServiceUrl, kinesisEndpoint, dynamoEndpoint } = this.#stack;
    const usual = { kinesisEndpoint, dynamoEndpoint, streamName: this.#streamName };
    const config = {
      ...sourceConfig({ ...usual, applicationName: this.applicationName }),
      ...changes.config,
    };
    return [
      "run",
      ...["--source-type", changes.sourceType ?? "kinesis"],
      ...["--broker-service-url", changes.serviceUrl ?? pulsarServiceUrl],
      ...["--destination-topic-name", changes.topic ?? this.topic],
      // Whatever it fails with is to be seen, not started again.
      ...["--max-restarts", "0"],
      ...["--source-config", changes.configText ?? JSON.stringify(config)],
      ...(changes.args ?? []),
    ];
  }

  async fails(changes: AttemptChanges, options: FailedStartOptions = {}): Promise<FailedStart> {
    return await failedStart(this.args(changes), options);
  }

  /** No lease table was created, in any region that a test uses. */
  async expectNoTable(): Promise<void> {
    for (const region of ["us-east-1", "eu-west-1"]) {
      using leases = new LeaseRows(this.#stack.dynamoEndpoint, region);
      expect(await leases.tableExists(this.applicationName)).toBe(false);
    }
  }

  /** Neither a lease table nor a topic was created. */
  async expectNothingDone(): Promise<void> {
    await this.expectNoTable();
    const topics = await new PulsarAdmin(this.#stack.pulsarAdminUrl).request(
      "GET",
      "persistent/public/default",
    );
    expect(topics).not.toContain(this.topic);
  }
}
