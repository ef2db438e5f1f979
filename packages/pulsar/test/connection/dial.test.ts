import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { codeOf, remedyOf, silentMeter, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { dial, type TlsOptions } from "../../src/connection/dial.ts";
import { createWireTransport, defaultPublisherOptions } from "../../src/index.ts";
import type { BoundedSignal } from "../../src/wait.ts";
import { never } from "../harness/wire.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const pem = (name: string) => ({
  key: readFileSync(fixture(`${name}.key.pem`)),
  cert: readFileSync(fixture(`${name}.cert.pem`)),
});
const verified: TlsOptions = { allowInsecure: false, hostnameVerification: true };
const trusted: TlsOptions = { ...verified, trustCertPath: fixture("localhost.cert.pem") };

describe("dial", () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, "close");
    }
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
    });
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async function failure(host: string, port: number, tls?: TlsOptions): Promise<Error> {
    try {
      const socket = await dial({ host, port }, tls, never);
      socket.destroy();
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error("it did connect");
  }

  it("connects, plain and with TLS", async () => {
    const plain = await listen(createServer());
    (await dial({ host: "127.0.0.1", port: plain }, undefined, never)).destroy();
    const secure = await listen(createTlsServer(pem("localhost")));
    (await dial({ host: "localhost", port: secure }, trusted, never)).destroy();
  });

  it("sends each frame at once, without waiting for more", async () => {
    const noDelay = vi.spyOn(Socket.prototype, "setNoDelay");
    const port = await listen(createServer());
    (await dial({ host: "127.0.0.1", port }, undefined, never)).destroy();
    expect(noDelay).toHaveBeenCalledWith(true);
    noDelay.mockRestore();
  });

  it("tells the server which name it looks for, and none for an address", async () => {
    const server = createTlsServer(pem("localhost"));
    const port = await listen(server);
    const names: (string | false | null)[] = [];
    server.on("secureConnection", (socket) => names.push(socket.servername));
    const insecure = { ...verified, allowInsecure: true };
    for (const host of ["localhost", "127.0.0.1"]) {
      const seen = once(server, "secureConnection");
      const socket = await dial({ host, port }, insecure, never);
      await seen;
      socket.destroy();
    }
    expect(names).toEqual(["localhost", false]);
  });

  it("says that nothing listens, and that a name is not known", async () => {
    const port = await listen(createServer());
    servers.splice(0).map((server) => server.close());
    expect(await failure("127.0.0.1", port)).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: expect.stringContaining(`127.0.0.1:${port}: nothing listens`),
    });
    expect(await failure("no-such-host.invalid", 1)).toMatchObject({ code: "PIO_PULSAR_UNREACHABLE" });
  });

  it.each([
    [
      "an authority nobody trusts",
      "localhost",
      verified,
      "signed by no one we trust",
      "authority of the broker",
    ],
    [
      "another authority",
      "localhost",
      { ...verified, trustCertPath: fixture("other.cert.pem") },
      "by no one we trust",
      "authority of the broker",
    ],
    ["another host", "127.0.0.1", trusted, "for another host", "--hostname-verification-enabled"],
    [
      "the past",
      "localhost",
      { ...verified, trustCertPath: fixture("expired.cert.pem") },
      "has expired",
      "renew the broker's certificate",
    ],
  ])("refuses a certificate of %s", async (what, host, tls, why, remedy) => {
    const port = await listen(createTlsServer(pem(what === "the past" ? "expired" : "localhost")));
    const error = await failure(host, port, tls);
    expect(codeOf(error)).toBe("PIO_PULSAR_TLS");
    expect(error.message).toContain(why);
    expect(remedyOf(error)).toContain(remedy);
  });

  it("accepts them when it is told to by name", async () => {
    const port = await listen(createTlsServer(pem("localhost")));
    const insecure = { ...verified, allowInsecure: true, hostnameVerification: false };
    (await dial({ host: "127.0.0.1", port }, insecure, never)).destroy();
    (await dial({ host: "127.0.0.1", port }, { ...trusted, hostnameVerification: false }, never)).destroy();
  });

  it("shows a client certificate to a server that wants one", async () => {
    const { key, cert } = pem("localhost");
    const server = createTlsServer({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true });
    const port = await listen(server);
    const seen = once(server, "secureConnection");
    const socket = await dial({ host: "localhost", port }, { ...trusted, identity: { key, cert } }, never);
    const [served] = (await seen) as [TLSSocket];
    expect(served.getPeerCertificate().subject.CN).toBe("localhost");
    socket.destroy();
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "says under %s that the server wants a client certificate",
    async (maxVersion) => {
      const { key, cert } = pem("localhost");
      const server = createTlsServer({
        key,
        cert,
        ca: cert,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion,
      });
      const port = await listen(server);
      const network = { clock: systemClock, logger: new RecordingLogger(), meter: silentMeter };
      await using transport = createWireTransport(
        { serviceUrl: `pulsar+ssl://localhost:${port}`, tls: trusted },
        network,
      );
      await expect(transport.open("t", defaultPublisherOptions, never)).rejects.toMatchObject({
        code: "PIO_PULSAR_TLS",
        message: expect.stringContaining("the broker wants a client certificate"),
        remedy: expect.stringContaining("tlsCertFile"),
      });
    },
  );

  it("says that the other side speaks no TLS", async () => {
    const port = await listen(createServer((socket) => socket.on("data", () => socket.destroy())));
    const error = await failure("localhost", port, trusted);
    expect(codeOf(error)).toBe("PIO_PULSAR_TLS");
    expect(error.message).toContain("does not speak it");
  });

  it("names the trust file that holds no certificate", async () => {
    const trustCertPath = fixture("localhost.key.pem");
    expect(await failure("localhost", 1, { ...verified, trustCertPath })).toMatchObject({
      code: "PIO_PULSAR_TLS",
      message: `${trustCertPath} holds no certificate in PEM`,
    });
  });

  it("names the trust file that cannot be read", async () => {
    const error = await failure("localhost", 1, { ...verified, trustCertPath: "/no/such.pem" });
    expect(error).toMatchObject({ code: "PIO_PULSAR_TLS", message: expect.stringContaining("/no/such.pem") });
  });

  it.each(["!", "MIIBAAAA"])(
    "names the trust file of which a certificate is damaged: %s, also when others are not",
    async (text) => {
      const folder = await mkdtemp(join(tmpdir(), "trust-"));
      const trustCertPath = join(folder, "ca.pem");
      const damaged = `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
      const good = readFileSync(fixture("localhost.cert.pem"), "utf8");
      for (const content of [damaged, damaged + good, good + damaged]) {
        await writeFile(trustCertPath, content);
        expect(await failure("localhost", 1, { ...verified, trustCertPath })).toMatchObject({
          code: "PIO_PULSAR_TLS",
          message: `${trustCertPath} holds a damaged certificate`,
        });
      }
      await writeFile(trustCertPath, good + good);
      const port = await listen(createTlsServer(pem("localhost")));
      (await dial({ host: "localhost", port }, { ...verified, trustCertPath }, never)).destroy();
      await rm(folder, { recursive: true });
    },
  );

  it("ends also while the trust file is read, without a connection", async () => {
    const port = await listen(createServer());
    const stop = new AbortController();
    const dialling = dial({ host: "localhost", port }, trusted, stop.signal as BoundedSignal);
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(dialling).rejects.toBe(reason);
    expect(sockets.size).toBe(0);
  });

  it("ends with the reason of its signal, and leaves no socket", async () => {
    const port = await listen(createServer());
    const stop = new AbortController();
    // A server that never answers the TLS handshake.
    const dialling = dial({ host: "localhost", port }, trusted, stop.signal as BoundedSignal);
    await once(servers[0] as Server, "connection");
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(dialling).rejects.toBe(reason);
    const [socket] = sockets;
    if (socket !== undefined && !socket.destroyed) await once(socket, "close");
  });
});
