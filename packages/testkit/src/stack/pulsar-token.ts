import { createHmac, randomBytes } from "node:crypto";

/** A new secret key for HS256, 256 bits. */
export function newTokenSecret(): Buffer {
  return randomBytes(32);
}

/**
 * A JSON web token for `role`, signed with HS256, as Pulsar's `tokens create` makes them.
 *
 * @param expiresAt milliseconds since the epoch, kept as whole seconds; absent: never.
 */
export function mintToken(secret: Uint8Array, role: string, expiresAt?: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const life = expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1_000) };
  const unsigned = `${encode({ alg: "HS256" })}.${encode({ sub: role, ...life })}`;
  return `${unsigned}.${createHmac("sha256", secret).update(unsigned).digest("base64url")}`;
}
