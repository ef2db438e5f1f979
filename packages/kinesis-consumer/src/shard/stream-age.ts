import { hasCode } from "@pulsar-ts-io/core";
import type { KinesisStream } from "./kinesis-stream.ts";

/**
 * When the stream was created, milliseconds since the epoch; `undefined` also when that may not be asked: KCL never needed the
 * permission for it when polling, and an operator who comes from there has not given it.
 */
export async function createdMsIfAllowed(
  stream: KinesisStream,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await stream.createdMs(signal);
  } catch (error) {
    if (hasCode(error, "PIO_AWS_ACCESS_DENIED")) return undefined;
    throw error;
  }
}
