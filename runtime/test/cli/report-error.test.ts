import { ConnectorError, type ConnectorErrorOptions } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { formatError } from "../../src/cli/report-error.ts";

class CodedError extends ConnectorError {
  readonly code: string;
  readonly retryable = false;

  constructor(code: string, options: ConnectorErrorOptions) {
    super("it failed", options);
    this.code = code;
  }
}

describe("formatError", () => {
  it.each([
    ["PIO_PULSAR_UNREACHABLE", "--broker-service-url"],
    ["PIO_INVALID_AUTHENTICATION", "--client-auth-plugin, --client-auth-params"],
    ["PIO_TOPIC_NOT_FOUND", "--destination-topic-name"],
  ])("names with %s the option that people mend it with", (code, option) => {
    expect(formatError(new CodedError(code, { remedy: "mend it" }), false)).toBe(
      `error: it failed [${code}]\nremedy: mend it (${option})\n`,
    );
  });

  it("leaves a remedy alone that names an option, and one that is about no option", () => {
    const remedy = "leave out --use-tls";
    expect(formatError(new CodedError("PIO_PULSAR_TLS", { remedy }), false)).toContain(`remedy: ${remedy}\n`);
    expect(formatError(new CodedError("PIO_OTHER", { remedy: "mend it" }), false)).toContain("mend it\n");
  });

  it("names the authentication, not the address, when who issues its tokens cannot be reached", () => {
    const cause = new CodedError("PIO_PULSAR_UNREACHABLE", { remedy: "mend it", details: { issuer: "i" } });
    expect(formatError(new CodedError("PIO_PULSAR_UNREACHABLE", { cause }), false)).toContain(
      "remedy: mend it (--client-auth-plugin, --client-auth-params)",
    );
  });
});
