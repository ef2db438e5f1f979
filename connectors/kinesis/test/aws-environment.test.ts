import { describe, expect, it } from "vitest";
import { quietVersionNotice, readAwsEnvironment } from "../src/aws-environment.ts";

const name = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

describe("quietVersionNotice", () => {
  it("silences the SDK's notice unless the operator has said what he wants", () => {
    const env: Record<string, string | undefined> = {};
    quietVersionNotice(env);
    expect(env[name]).toBe("true");
    const chosen = { [name]: "false" };
    quietVersionNotice(chosen);
    expect(chosen[name]).toBe("false");
  });
});

describe("readAwsEnvironment", () => {
  it.each([
    [{}, true],
    [{ AWS_CBOR_DISABLE: "true" }, false],
    [{ AWS_CBOR_DISABLE: "1" }, false],
    [{ AWS_CBOR_DISABLE: "false" }, true],
    [{ AWS_CBOR_DISABLE: "" }, true],
    [{ AWS_CBOR_ENABLED: "false" }, false],
    [{ AWS_CBOR_ENABLED: "true" }, true],
  ])("allows CBOR or not, as the SDKs for Java do: %j", (env, cbor) => {
    expect(readAwsEnvironment(env)).toMatchObject({ cbor });
  });
});
