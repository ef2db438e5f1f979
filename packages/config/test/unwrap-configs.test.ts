import { describe, expect, it } from "vitest";
import { ConfigSyntaxError, parseConfigText, unwrapConfigs } from "../src/index.ts";

function failure(value: unknown): ConfigSyntaxError {
  try {
    unwrapConfigs(value, "config.yaml");
  } catch (error) {
    if (error instanceof ConfigSyntaxError) return error;
    throw error;
  }
  throw new Error("the value was accepted");
}

describe("unwrapConfigs", () => {
  it("gives the settings, with or without configs around them", () => {
    expect(unwrapConfigs({ a: 1 }, "x")).toEqual({ a: 1 });
    expect(unwrapConfigs({ configs: { a: 1 } }, "x")).toEqual({ a: 1 });
  });

  it.each([[undefined], [null], [{}], [{ configs: null }], [{ configs: {} }], [{ configs: "" }]])(
    "takes %j for no settings",
    (value) => {
      expect(unwrapConfigs(value, "x")).toEqual({});
    },
  );

  it("explains the indentation when keys stand beside an empty configs", () => {
    const error = failure(parseConfigText('configs:\nregion: "x"\nstream: y\n', "config.yaml"));
    expect(error.message).toBe(
      '"configs:" in config.yaml is empty, and 2 keys stand beside it instead of below it',
    );
    expect(error.remedy).toBe(
      'indent the lines after "configs:" by two spaces, or delete the line "configs:"',
    );
  });

  it("refuses keys beside a configs that has some, without naming them", () => {
    const error = failure({ configs: { a: 1 }, secretThing: 2 });
    expect(error.message).toBe('one key stands beside "configs" in config.yaml');
  });

  it.each([
    ["a list", [1]],
    ["a text", "a=1"],
    ["a number", 7],
    ["a boolean", true],
  ])("refuses %s", (kind, value) => {
    expect(failure(value).message).toBe(`config.yaml is ${kind}, not a mapping of settings`);
    expect(failure({ configs: value }).message).toBe(
      `"configs" in config.yaml is ${kind}, not a mapping of settings`,
    );
  });
});
