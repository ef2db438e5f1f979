import { describe, expect, it } from "vitest";
import { brokerError } from "../../src/connection/server-error.ts";

describe("what a broker says of its refusal", () => {
  it.each([
    ["no right to produce\n\tat java.lang.Thread.run", "no right to produce"],
    ["\u001b[2J\u001b]0;title\u0007no\r", "[2J ]0;title no"],
    ["x".repeat(10_000), "x".repeat(500)],
    ["", undefined],
  ])("is one short line that no terminal obeys: %j", (message, shown) => {
    const error = brokerError({ error: 4, message }, "the topic t");
    const said = shown === undefined ? "" : `: ${shown}`;
    expect(error.message).toBe(`the topic t was refused: AuthorizationError${said}`);
  });
});
