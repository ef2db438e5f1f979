import type { Logger } from "@pulsar-ts-io/core";
import type { NativeModule } from "./load-client.ts";

type ClientConfig = ConstructorParameters<NativeModule["Client"]>[0];

/**
 * The part of the client's settings that brings its log to ours.
 *
 * The binding has one log for the process: with several transports the last one gets all lines. What heals by itself it calls
 * an error, too, so nothing of it is more than a warning here; whoever waits for something learns of its failure as an error.
 */
export function nativeLog(native: NativeModule, logger: Logger): Pick<ClientConfig, "log" | "logLevel"> {
  const { WARN, INFO } = native.LogLevel;
  return {
    logLevel: INFO,
    log: (level, file, line, message) => {
      const fields = { at: `${file}:${line}`, text: message };
      if (level >= WARN) logger.warn(fields, "said by pulsar-client");
      else logger.debug(fields, "said by pulsar-client");
    },
  };
}
