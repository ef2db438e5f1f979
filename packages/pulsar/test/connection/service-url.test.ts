import { describe, expect, it } from "vitest";
import { formatServiceUrl, parseServiceUrl } from "../../src/connection/service-url.ts";

describe("parseServiceUrl", () => {
  it.each([
    ["pulsar://a", "pulsar://a:6650"],
    ["pulsar://a:1", "pulsar://a:1"],
    ["pulsar+ssl://a", "pulsar+ssl://a:6651"],
    ["PULSAR://a/", "pulsar://a:6650"],
    ["pulsar://a,b:2,c", "pulsar://a:6650,b:2,c:6650"],
    ["pulsar://[::1],[fe80::1]:2", "pulsar://[::1]:6650,[fe80::1]:2"],
    [" pulsar://a\n", "pulsar://a:6650"],
  ])("reads %s as %s", (url, complete) => {
    expect(formatServiceUrl(parseServiceUrl(url))).toBe(complete);
  });

  it.each([
    "",
    "a:6650",
    "kafka://a",
    "http://a:8080",
    "pulsar://",
    "pulsar://a,",
    "pulsar://a:0",
    "pulsar://a:65536",
    "pulsar://a:x",
    "pulsar://::1:6650",
    "pulsar://a/path",
    "pulsar://a b",
  ])("refuses %s", (url) => {
    expect(() => parseServiceUrl(url)).toThrow(
      expect.objectContaining({
        code: "PIO_INVALID_SERVICE_URL",
        remedy: expect.stringContaining("pulsar://host:6650"),
      }),
    );
  });

  it("does not repeat credentials that someone put into the URL", () => {
    expect(() => parseServiceUrl("pulsar://user:s3cr3t@a")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cr3t") }),
    );
  });
});
