import { ConnectorError, codeOf, hasCode, isRetryable, remedyOf, toError } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";

class TapClosedError extends ConnectorError {
  readonly code = "PIO_TAP_CLOSED";
  readonly retryable = true;
}

describe("ConnectorError", () => {
  it("carries a code, a verdict, details, a cause and a remedy", () => {
    const cause = new Error("rust");
    const error = new TapClosedError("tap 3 is closed", {
      cause,
      details: { tap: 3 },
      remedy: "open the tap",
    });
    expect(error).toMatchObject({
      name: "TapClosedError",
      message: "tap 3 is closed",
      cause,
      details: { tap: 3 },
    });
    expect(hasCode(error, "PIO_TAP_CLOSED")).toBe(true);
    expect(isRetryable(error)).toBe(true);
    expect(remedyOf(error)).toBe("open the tap");
  });

  it("is recognised by its code, not by its class", () => {
    expect(hasCode({ code: "PIO_TAP_CLOSED" }, "PIO_TAP_CLOSED")).toBe(true);
    expect(codeOf({ code: 7 })).toBeUndefined();
    expect(codeOf(undefined)).toBeUndefined();
    expect(isRetryable(new Error("unknown"))).toBe(false);
  });

  it("lends its remedy to the errors that were caused by it", () => {
    const inner = new TapClosedError("closed", { remedy: "open the tap" });
    expect(remedyOf(new Error("no water", { cause: inner }))).toBe("open the tap");
    expect(remedyOf("no water")).toBeUndefined();
  });

  it("makes an Error of whatever was thrown", () => {
    const error = new Error("itself");
    expect(toError(error)).toBe(error);
    expect(toError("text").message).toBe("text");
  });
});
