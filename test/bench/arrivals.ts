import { readTopic } from "@pulsar-ts-io/testkit";
import type { BenchStream } from "./bench-stream.ts";

/**
 * Reads the whole topic with Pulsar's Java client and holds it against what was put.
 *
 * @throws Error unless every record arrived exactly once, with its bytes: the round is void then.
 */
export async function requireExactlyOnce(
  serviceUrl: string,
  topic: string,
  { records, digests }: BenchStream,
): Promise<void> {
  const seen = new Set<string>();
  let repeated = 0;
  let altered = 0;
  for await (const { key = "", sha256 } of readTopic({ serviceUrl, topic, bytesUpTo: 0, idleMs: 3_000 })) {
    if (digests.get(key) !== sha256) altered += 1;
    else if (seen.has(key)) repeated += 1;
    else seen.add(key);
  }
  const missing = records - seen.size;
  if (missing > 0 || repeated > 0 || altered > 0) {
    throw new Error(
      `the round is void: ${missing} records missing, ${repeated} repeated, ${altered} altered`,
    );
  }
}
