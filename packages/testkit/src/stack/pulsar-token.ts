import { createHmac, randomBytes } from "node:crypto";

/** A new secret key for HS256, 256 bits. */
export function newTokenSecret(): Buffer {
  return randomBytes(32);
}

/** A JSON web token for `role`, signed with HS256, as Pulsar's `tokens create` makes them. */
export function mintToken(secret: Uint8Array, role: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const unsigned = `${encode({ alg: "HS256" })}.${encode({ sub: role })}`;
  return `${unsigned}.${createHmac("sha256", secret).update(unsigned).digest("base64url")}`;
}
