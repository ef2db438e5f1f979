import { EventEmitter } from "node:events";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { logProcessWarnings } from "../../src/logging/process-warnings.ts";

describe("logProcessWarnings", () => {
  it("makes one log line of a warning of several lines, and silences Node's own print", () => {
    const process = new EventEmitter();
    const printed: Error[] = [];
    process.on("warning", (warning: Error) => printed.push(warning));
    const logger = new RecordingLogger();
    logProcessWarnings(process, logger);
    const warning = new Error("this library\nends its support\n\nof this Node");
    warning.name = "SupportWarning";
    process.emit("warning", warning);
    expect(logger.lines).toMatchObject([
      {
        level: "warn",
        fields: { warning: "SupportWarning", text: "this library ends its support of this Node" },
        message: "warning of the process",
      },
    ]);
    expect(printed).toEqual([]);
  });
});
