import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exitCodeOf, exitCodes } from "../../src/cli/exit-codes.ts";
import { InstanceFailedError, type Stage } from "../../src/instance/errors.ts";

describe("exitCodeOf", () => {
  it.each([
    ["pulsar", 5],
    ["open", 4],
    ["run", 1],
    ["close", 1],
  ] satisfies [Stage, number][])("lets the stage %s decide, whatever the cause is called", (stage, code) => {
    const cause = Object.assign(new Error("x"), { code: "PIO_INVALID_CONFIG" });
    expect(exitCodeOf(new InstanceFailedError(stage, cause))).toBe(code);
  });

  it.each([
    ["PIO_USAGE", 2],
    ["PIO_INVALID_CONFIG", 2],
    ["PIO_INVALID_TOPIC_NAME", 2],
    ["PIO_PLUGIN_LOAD", 3],
    ["PIO_CONFIG_SCHEMA", 3],
    ["PIO_SOMETHING_ELSE", 1],
    ["ENOENT", 70],
    [undefined, 70],
  ])("answers %s with %i", (code, exitCode) => {
    expect(exitCodeOf(Object.assign(new Error("x"), { code }))).toBe(exitCode);
  });

  it("is documented, code by code", () => {
    const table = readFileSync(new URL("../../../docs/exit-codes.md", import.meta.url), "utf8");
    const documented = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(documented).toEqual(Object.values(exitCodes).sort((left, right) => left - right));
  });
});
