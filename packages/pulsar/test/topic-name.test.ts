import { remedyOf } from "@pulsar-ts-io/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTopicName } from "../src/index.ts";

describe("parseTopicName", () => {
  it.each([
    ["t", "persistent://public/default/t"],
    ["a.b:c=d_e-f", "persistent://public/default/a.b:c=d_e-f"],
    ["acme/web/t", "persistent://acme/web/t"],
    ["persistent://acme/web/t", "persistent://acme/web/t"],
    ["non-persistent://acme/web/t", "non-persistent://acme/web/t"],
  ])("reads %s as %s", (name, full) => {
    expect(parseTopicName(name).full).toBe(full);
  });

  it("completes a bare name with the given tenant and namespace, and no other", () => {
    const defaults = { tenant: "acme", namespace: "web" };
    expect(parseTopicName("t", defaults).full).toBe("persistent://acme/web/t");
    expect(parseTopicName("a/b/t", defaults).full).toBe("persistent://a/b/t");
  });

  it.each([
    ["t", -1],
    ["t-partition-3", 3],
    ["t-partition-", -1],
    ["t-partition-03", -1],
  ])("knows the partition of %s: %d", (name, partition) => {
    expect(parseTopicName(name).partition).toBe(partition);
  });

  it.each([
    ["", "empty"],
    ["a/t", "2 parts"],
    ["persistent://a/b", "2 parts"],
    ["persistent://a/cluster/b/t", "4 parts"],
    ["persistent://a/b/", "empty"],
    ["kafka://a/b/t", 'domain is "kafka"'],
    ["persistent://a b/c/t", '"a b" is no tenant'],
    ["a/b c/t", '"b c" is no namespace'],
    ["/b/t", '"" is no tenant'],
  ])("refuses %s, saying why and what to write", (name, why) => {
    let error: unknown;
    try {
      parseTopicName(name);
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ code: "PIO_INVALID_TOPIC_NAME", message: expect.stringContaining(why) });
    expect(remedyOf(error)).toBeTypeOf("string");
  });

  it("reads a complete name as itself", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-=:.\w]+$/), fc.stringMatching(/^[^/]+$/), (entity, local) => {
        const { full } = parseTopicName(`persistent://${entity}/${entity}/${local}`);
        expect(parseTopicName(full).full).toBe(full);
      }),
    );
  });
});
