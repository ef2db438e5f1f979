import { describe, expect, it } from "vitest";
import { parseWebServiceUrl, usualWebServiceUrl } from "../../src/admin/web-service-url.ts";

describe("parseWebServiceUrl", () => {
  it.each([
    ["http://a", false, ["a:8080"]],
    ["https://a/", true, ["a:8443"]],
    ["http://a:80", false, ["a:80"]],
    ["http://a:1,[::1]:2", false, ["a:1", "::1:2"]],
  ])("reads %s", (url, tls, expected) => {
    const { addresses, ...parsed } = parseWebServiceUrl(url);
    expect(parsed).toEqual({ tls });
    expect(addresses.map(({ host, port }) => `${host}:${port}`)).toEqual(expected);
  });
});

describe("usualWebServiceUrl", () => {
  it.each([
    ["pulsar://a:6650", "http://a:8080"],
    ["pulsar+ssl://a,b:1", "https://a:8443,b:8443"],
    ["pulsar://[::1]:6650", "http://[::1]:8080"],
  ])("finds the admin API beside %s", (serviceUrl, expected) => {
    expect(usualWebServiceUrl(serviceUrl)).toBe(expected);
  });
});
