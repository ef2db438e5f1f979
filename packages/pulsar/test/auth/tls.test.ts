import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveAuthentication } from "../../src/auth/resolve-authentication.ts";
import { never } from "../harness/wire.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const certificate = fixture("localhost.cert.pem");
const key = fixture("localhost.key.pem");

const tls = (params: string, plugin = "tls") =>
  resolveAuthentication({ plugin, params, environment: {}, clock: new TestClock(), fetch });

describe("a client certificate", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "client-certificate-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each([
    ["pairs", `tlsCertFile:${certificate},tlsKeyFile:${key}`],
    ["JSON", JSON.stringify({ tlsCertFile: certificate, tlsKeyFile: key })],
  ])("is read from the files that Java's parameters name as %s; the wire says nothing", async (_, params) => {
    const java = tls(params, "org.apache.pulsar.client.impl.auth.AuthenticationTls");
    for (const authentication of [tls(params), java]) {
      expect(authentication.method).toBe("tls");
      expect(await authentication.credentials(never)).toHaveLength(0);
      expect(await authentication.tlsIdentity?.(never)).toEqual({
        cert: await readFile(certificate),
        key: await readFile(key),
      });
    }
  });

  it("is read anew each time", async () => {
    const [certFile, keyFile] = [join(folder, "c.pem"), join(folder, "k.pem")];
    const authentication = tls(`tlsCertFile:${certFile},tlsKeyFile:${keyFile}`);
    await expect(authentication.tlsIdentity?.(never)).rejects.toMatchObject({
      code: "PIO_INVALID_AUTHENTICATION",
      message: expect.stringContaining(folder),
    });
    await writeFile(certFile, await readFile(certificate));
    await writeFile(keyFile, await readFile(key));
    expect(await authentication.tlsIdentity?.(never)).toHaveProperty("cert");
  });

  it("is refused, files named and contents not, when the two are not one", async () => {
    const junk = join(folder, "junk.pem");
    await writeFile(junk, "s3cr3t");
    for (const [cert, other] of [
      [certificate, junk],
      [junk, key],
    ]) {
      const error = await tls(`tlsCertFile:${cert},tlsKeyFile:${other}`)
        .tlsIdentity?.(never)
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: "PIO_INVALID_AUTHENTICATION",
        message: expect.stringContaining(junk),
        remedy: "name PEM files that belong together, the key without a passphrase",
      });
      expect(String(error)).not.toContain("s3cr3t");
    }
  });
});
