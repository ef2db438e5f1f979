import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "@pulsar-ts-io/core";
import { formatMessage } from "@pulsar-ts-io/pulsar";
import { type ReadMessage, readMessages, type TopicReaderOptions } from "@pulsar-ts-io/testkit";
import type { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";

const longestWaitMs = 60_000;
const topicPollMs = 100;

/** Prints `count` messages as a reader sees them that knows nothing but the topic. @throws when `cli` ends before. */
export async function showTopic(
  options: Omit<TopicReaderOptions, "signal">,
  { cli, count, signal }: { readonly cli: Cli; readonly count: number; readonly signal: AbortSignal },
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal, AbortSignal.timeout(longestWaitMs)]);
  const read = async () => {
    let seen = 0;
    for await (const message of readOnceThere({ ...options, signal: both })) {
      process.stdout.write(formatMessage(message));
      seen += 1;
      if (seen === count) return;
    }
  };
  const ended = async () => {
    const { code } = await cli.exited;
    throw new Error(`pulsar-ts-io ended with ${code} before ${count} records were in the topic`);
  };
  try {
    await Promise.race([read(), ended()]);
  } finally {
    stop.abort();
  }
}

/** Prints what `cli` prints, until it was `count` records of two lines. @throws when it ends before. */
export async function showOutput(cli: Cli, count: number): Promise<void> {
  let shown = 0;
  const look = () => {
    for (const line of cli.stdout.slice(shown)) process.stdout.write(`${line}\n`);
    shown = cli.stdout.length;
    if (shown >= 2 * count) return true;
    if (!cli.running) throw new Error(`pulsar-ts-io ended before it had printed ${count} records`);
    return false;
  };
  await eventually(`${count} records on the console`, look, { timeoutMs: longestWaitMs });
}

/** The topic is there once something was published to it. */
async function* readOnceThere(options: TopicReaderOptions): AsyncGenerator<ReadMessage, void, undefined> {
  for (;;) {
    try {
      yield* readMessages(options);
      return;
    } catch (error) {
      if (!hasCode(error, "PIO_TOPIC_NOT_FOUND")) throw error;
      await delay(topicPollMs, undefined, { signal: options.signal });
    }
  }
}
