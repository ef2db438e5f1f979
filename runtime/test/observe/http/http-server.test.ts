import { Server } from "node:http";
import { hostname } from "node:os";
import process from "node:process";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type HttpAddress, HttpServer, type Pages } from "../../../src/observe/http/http-server.ts";
import { httpGet } from "../../support/http-get.ts";

const opened: HttpServer[] = [];
const logger = new RecordingLogger();

afterEach(async () => {
  for (const server of opened.splice(0)) await server[Symbol.asyncDispose]();
});

async function listen(pages?: Pages, address: Partial<HttpAddress> = {}): Promise<string> {
  const server = await HttpServer.listen({ port: 0, host: "127.0.0.1", names: [], ...address }, logger);
  opened.push(server);
  if (pages !== undefined) server.show(pages);
  return server.url;
}

const pages: Pages = new Map([["/here", () => ({ contentType: "text/plain", body: "hello" })]]);

describe("HttpServer", () => {
  it("answers GET and HEAD of what is there, whatever the query, and nothing else", async () => {
    const url = await listen(pages);
    expect(await httpGet(`${url}here?x=1`)).toMatchObject({ status: 200, body: "hello" });
    expect(await httpGet(`${url}here`, { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    expect(await httpGet(`${url}there`)).toMatchObject({ status: 404 });
    expect(await httpGet(`${url}__proto__`)).toMatchObject({ status: 404 });
  });

  it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("refuses %s", async (method) => {
    const reply = await httpGet(`${await listen(pages)}here`, { method });
    expect(reply).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  it.each(["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "a b"])(
    "refuses who asks for it as %j: the name of a stranger's page may be pointed here",
    async (host) => {
      const reply = await httpGet(`${await listen(pages)}here`, { host });
      expect([400, 421]).toContain(reply.status);
      expect(reply.body).not.toContain("hello");
    },
  );

  it.each([
    "localhost",
    "LOCALHOST:9094",
    "127.0.0.1:1",
    "[::1]:9094",
    "10.1.2.3:9094",
    hostname(),
    "pod.svc:80",
  ])("answers who asks for it as %s", async (host) => {
    const url = await listen(pages, { names: ["pod.svc"] });
    expect(await httpGet(`${url}here`, { host })).toMatchObject({ status: 200 });
  });

  it.each(["orders.svc", "Orders.Ns.svc.cluster.local:9094", "10-1-2-3.ns.pod.cluster.local."])(
    "answers a request for %s when a suffix allows it",
    async (host) => {
      const url = await listen(pages, { names: [".svc", "*.cluster.local"] });
      expect(await httpGet(`${url}here`, { host })).toMatchObject({ status: 200 });
    },
  );

  it.each(["svc", ".svc", "orders.svc.evil.example", "evilsvc", "orders-svc"])(
    "refuses a request for %j: the suffix .svc does not allow it",
    async (host) => {
      const reply = await httpGet(`${await listen(pages, { names: [".svc", "."] })}here`, { host });
      expect(reply.status).toBe(421);
    },
  );

  it.each(["0.0.0.0", "::"])("answers on IPv4 and on IPv6 when it listens at %s", async (host) => {
    const { port } = new URL(await listen(pages, { host }));
    for (const address of ["127.0.0.1", "[::1]"]) {
      expect(await httpGet(`http://${address}:${port}/here`)).toMatchObject({ status: 200 });
    }
  });

  it.each(["EAFNOSUPPORT", "EADDRNOTAVAIL"])(
    "listens on IPv4 alone where the kernel has no IPv6 (%s)",
    async (code) => {
      const real = Server.prototype.listen;
      const spy = vi.spyOn(Server.prototype, "listen").mockImplementation(function (
        this: Server,
        ...args: Parameters<Server["listen"]>
      ) {
        if (!args.includes("::")) return real.apply(this, args);
        process.nextTick(() => this.emit("error", Object.assign(new Error(code), { code })));
        return this;
      });
      try {
        const url = await listen(pages, { host: "0.0.0.0" });
        expect(url).toMatch(/^http:\/\/0\.0\.0\.0:/);
        expect(await httpGet(`http://127.0.0.1:${new URL(url).port}/here`)).toMatchObject({ status: 200 });
      } finally {
        spy.mockRestore();
      }
    },
  );

  it("lets no other page read it, run scripts of others in it or frame it", async () => {
    const { headers } = await httpGet(`${await listen(pages)}here`);
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cache-control": "no-store",
    });
  });

  it("answers 503 until there is something to show", async () => {
    expect(await httpGet(`${await listen()}here`)).toMatchObject({ status: 503, body: "starting\n" });
  });

  it("says 500, and nothing of why, when something cannot be told", async () => {
    const failing: Pages = new Map([["/", () => Promise.reject(new Error("secret"))]]);
    const reply = await httpGet(await listen(failing));
    expect(reply.status).toBe(500);
    expect(reply.body).not.toContain("secret");
    expect(logger.messages("warn")).toContain("HTTP request not answered");
  });

  it("says that its port is taken, and what to do", async () => {
    const port = Number(new URL(await listen()).port);
    await expect(listen(undefined, { port })).rejects.toMatchObject({
      code: "PIO_HTTP_PORT",
      message: `cannot listen for HTTP at 127.0.0.1:${port}: the port is taken`,
      remedy: expect.stringContaining("--http-port"),
    });
    await expect(listen(undefined, { host: "203.0.113.1" })).rejects.toMatchObject({ code: "PIO_HTTP_PORT" });
  });

  it("lets go of its port though somebody keeps a connection open", async () => {
    const url = await listen(pages);
    await fetch(`${url}here`);
    await opened.pop()?.[Symbol.asyncDispose]();
    await expect(fetch(`${url}here`)).rejects.toThrow();
  });
});
