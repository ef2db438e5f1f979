import { describe, expect, it } from "vitest";
import { secretMask, secretsOf, shownConfig } from "../../src/observe/secret-mask.ts";

const forms = {
  schema: {
    type: "object",
    properties: {
      password: { type: "string", "x-sensitive": true },
      login: {
        type: "string",
        contentMediaType: "application/json",
        contentSchema: {
          type: "object",
          properties: { user: { type: "string" }, key: { type: "string", "x-sensitive": true } },
        },
      },
      url: { type: "string" },
      count: { type: "integer" },
      unset: { type: "string", "x-sensitive": true },
    },
  },
  config: {
    password: "hunter2",
    login: '{"user":"me","key":"opensesame"}',
    url: "http://host/?token=abcdef",
    count: 3,
    unset: "",
  },
  written: {
    password: "hunter2",
    login: '{"user":"me"}',
    url: "http://host/?token=$" + "{env:TOKEN}",
    count: "3",
  },
} as const;

describe("secretMask", () => {
  it("hides every secret wherever it stands, the longer one first", () => {
    const mask = secretMask(["hunter", "hunter2", "abc"]);
    expect(mask("hunter2 said hunter, abc")).toBe("(redacted) said (redacted), abc");
  });

  it("knows the texts of sensitive settings, those in JSON too, and what references led to", () => {
    const mask = secretMask(secretsOf(forms));
    expect(mask("hunter2 opensesame http://host/?token=abcdef 3")).toBe("(redacted) (redacted) (redacted) 3");
  });
});

describe("shownConfig", () => {
  it("shows what is in force, but secrets, and references as they were written", () => {
    expect(shownConfig(forms)).toEqual({
      password: "(redacted)",
      login: "(redacted)",
      url: "http://host/?token=$" + "{env:TOKEN}",
      count: 3,
      unset: "",
    });
  });
});
