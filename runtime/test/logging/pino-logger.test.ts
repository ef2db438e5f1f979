import { ConnectorError } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { createLogger, type LoggerOptions } from "../../src/logging/pino-logger.ts";
import { colouredStyle } from "../../src/logging/style.ts";

class LostError extends ConnectorError {
  readonly code = "PIO_LOST";
  readonly retryable = false;
}

function logged(
  options: Partial<LoggerOptions>,
  log: (logger: ReturnType<typeof createLogger>) => void,
): string[] {
  const lines: string[] = [];
  log(createLogger({ level: "info", format: "json", ...options }, (line) => lines.push(line)));
  return lines;
}

describe("createLogger", () => {
  it("writes one JSON object a line, with the fields of its parents", () => {
    const [line = ""] = logged({}, (logger) => logger.child({ component: "a" }).info({ count: 2 }, "done"));
    expect(JSON.parse(line)).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      component: "a",
      count: 2,
      msg: "done",
    });
    expect(line.endsWith("\n")).toBe(true);
  });

  it("writes a field once that a parent, a child and the line all have: the nearest of them counts", () => {
    const lines = logged({}, (logger) => {
      const parent = logger.child({ component: "parent", workerId: "0-a" });
      const child = parent.child({ component: "child" });
      parent.info({}, "a");
      child.info({}, "b");
      child.info({ workerId: "0-b" }, "c");
    });
    expect(lines.map((line) => line.match(/"(component|workerId)":"[^"]+"/g))).toEqual([
      ['"component":"parent"', '"workerId":"0-a"'],
      ['"component":"child"', '"workerId":"0-a"'],
      ['"component":"child"', '"workerId":"0-b"'],
    ]);
  });

  it("leaves out what is less important than its level", () => {
    const lines = logged({ level: "warn" }, (logger) => {
      logger.debug({}, "a");
      logger.info({}, "b");
      logger.warn({}, "c");
      logger.error({}, "d");
    });
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["c", "d"]);
  });

  it("hides sensitive fields at every depth it may find them, in children too", () => {
    const lines = logged({ sensitive: ["apiKey"] }, (logger) => {
      logger.info(
        { apiKey: "canary", token: "canary", config: { apiKey: "canary", deep: { apiKey: "canary" } } },
        "x",
      );
      logger.child({ password: "canary" }).info({}, "y");
    });
    expect(lines.join("")).not.toContain("canary");
    expect(lines.join("").match(/\(redacted\)/g)).toHaveLength(5);
  });

  it("shows of an error its words, code, remedy and causes, and nothing else", () => {
    const foreign = Object.assign(new Error("refused"), { headers: { authorization: "canary" }, code: 403 });
    const error = new LostError("gone", { cause: foreign, remedy: "look for it" });
    const [line = ""] = logged({}, (logger) => logger.error({ err: error }, "failed"));
    expect(JSON.parse(line).err).toEqual({
      type: "LostError",
      message: "gone",
      code: "PIO_LOST",
      remedy: "look for it",
      cause: { type: "Error", message: "refused" },
    });
  });

  it("shows stacks at level debug", () => {
    const [line = ""] = logged({ level: "debug" }, (logger) =>
      logger.debug({ err: new Error("x") }, "failed"),
    );
    expect(JSON.parse(line).err.stack).toContain("pino-logger.test.ts");
  });

  it("shows people what went wrong in colour, where that is wanted", () => {
    const [odd = "", bad = ""] = logged({ format: "pretty", style: colouredStyle }, (logger) => {
      logger.warn({}, "odd");
      logger.error({}, "bad");
    });
    expect(odd).toContain("\u001b[33mWARN \u001b[39m odd");
    expect(bad).toContain("\u001b[31mERROR\u001b[39m");
  });

  it("writes for people: time, level, sentence, fields, error", () => {
    const [line = ""] = logged({ format: "pretty" }, (logger) =>
      logger.warn({ count: 2, name: "two words", err: new LostError("gone") }, "lost it"),
    );
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}lost it {2}count=2 {2}name="two words": gone \[PIO_LOST\]\n$/,
    );
  });
});
