import type { Logger } from "@pulsar-ts-io/core";

/** The part of `process` that tells warnings of Node and of libraries. */
export interface WarningProcess {
  on(event: "warning", listener: (warning: Error) => void): unknown;
  removeAllListeners(event: "warning"): unknown;
}

/** Makes log lines of them. Node itself would write each as several lines of plain text between ours. */
export function logProcessWarnings(process: WarningProcess, logger: Logger): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    logger.warn({ warning: name, text: message.replaceAll(/\s+/g, " ").trim() }, "warning of the process");
  });
}
