import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveSecretsProvider } from "../../src/secrets/resolve-provider.ts";
import type { SecretsProvider } from "../../src/secrets/secrets-provider.ts";

function provider(name: string, env: Record<string, string> = {}): SecretsProvider {
  const found = resolveSecretsProvider(name, env);
  if (found === undefined) throw new Error(`no provider ${name}`);
  return found;
}

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "secrets-"));
  mkdirSync(join(made, "db"));
  writeFileSync(join(made, "db", "password"), "s3cret\n");
  return made;
}

describe("the secrets provider cleartext", () => {
  it("takes texts as they are", async () => {
    expect(await provider("cleartext").provide("a", "text")).toEqual({ kind: "found", value: "text" });
  });

  it("refuses to make a text of anything else", async () => {
    const answer = await provider("cleartext").provide("a", { path: "p", key: "k" });
    expect(answer).toMatchObject({
      kind: "missing",
      remedy: expect.stringContaining("--secrets-provider env"),
    });
  });
});

describe("the secrets provider env", () => {
  const entry = { path: "db-login", key: "password" };

  it("takes the variable of the secret's name first, then the one named after path and key", async () => {
    const both = provider("env", { pw: "one", DB_LOGIN_PASSWORD: "other" });
    expect(await both.provide("pw", entry)).toEqual({ kind: "found", value: "one" });
    const second = provider("env", { DB_LOGIN_PASSWORD: "other" });
    expect(await second.provide("pw", entry)).toEqual({ kind: "found", value: "other" });
  });

  it("says which variables it looked for", async () => {
    expect(await provider("env").provide("pw", entry)).toMatchObject({
      message: "is in no environment variable: pw and DB_LOGIN_PASSWORD are not set",
    });
    expect(await provider("env").provide("pw", "any text")).toMatchObject({
      message: "is in no environment variable: pw is not set",
    });
  });

  it("alone knows what a text stands for that is nothing but a name", () => {
    expect(provider("env", { NAME: "v" }).interpolate("NAME")).toBe("v");
    expect(provider("env").interpolate("NAME")).toBeUndefined();
    expect(provider("cleartext", { NAME: "v" }).interpolate("NAME")).toBeUndefined();
    expect(provider("file:/x", { NAME: "v" }).interpolate("NAME")).toBeUndefined();
  });
});

describe("the secrets provider file", () => {
  it("reads the file of that path and key, without the newline at its end", async () => {
    const files = provider(`file:${directory()}`);
    expect(await files.provide("a", { path: "db", key: "password" })).toEqual({
      kind: "found",
      value: "s3cret",
    });
    expect(await files.provide("a", "text")).toEqual({ kind: "found", value: "text" });
  });

  it.each([
    ["does not exist", { path: "db", key: "nothing" }],
    ["cannot be read (EISDIR)", { path: "db", key: "" }],
    ["names a file outside", { path: "..", key: "x" }],
    ["names a file outside", { path: "db/../../x", key: "y" }],
    ["names a file outside", { path: "/etc", key: "passwd" }],
  ])("says that it %s", async (text, entry) => {
    const answer = await provider(`file:${directory()}`).provide("a", entry);
    expect(answer).toMatchObject({ kind: "missing", message: expect.stringContaining(text) });
  });
});

it.each([
  ["ClearTextSecretsProvider", true],
  ["org.apache.pulsar.functions.secretsprovider.ClearTextSecretsProvider", true],
  ["org.apache.pulsar.functions.secretsprovider.EnvironmentBasedSecretsProvider", true],
  ["com.example.VaultSecretsProvider", false],
  ["file:", false],
  ["vault", false],
])("knows the provider %s: %s", (name, known) => {
  expect(resolveSecretsProvider(name, {}) !== undefined).toBe(known);
});
