import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import { mintToken, newTokenSecret } from "../../src/index.ts";

it("signs a token for a role with HS256", () => {
  const secret = newTokenSecret();
  const [header = "", claims = "", signature] = mintToken(secret, "admin").split(".");
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  expect([decode(header), decode(claims)]).toEqual([{ alg: "HS256" }, { sub: "admin" }]);
  const expected = createHmac("sha256", secret).update(`${header}.${claims}`).digest("base64url");
  expect(signature).toBe(expected);
});
