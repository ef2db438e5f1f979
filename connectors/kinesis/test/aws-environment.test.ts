import { describe, expect, it } from "vitest";
import { quietVersionNotice } from "../src/aws-environment.ts";

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
