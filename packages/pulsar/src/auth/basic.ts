import type { Authentication } from "./authentication.ts";
import { type ParametersForm, readParameters, requiredParameter } from "./parameters.ts";
import { secretReader } from "./secret-text.ts";

const form: ParametersForm = {
  plugin: "basic",
  remedy:
    'give them as {"userId":"…","password":"…"}, or say where that stands with file:///path or env:NAME',
};

/** A user's name and password. @throws InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`) */
export function basicAuthentication(
  params: string,
  environment: Readonly<Record<string, string | undefined>>,
): Authentication {
  const read = secretReader(params, "user and password", environment);
  if (read === undefined) {
    const data = encode(params);
    return { method: "basic", credentials: () => Promise.resolve(data) };
  }
  return { method: "basic", credentials: async () => encode(await read()) };
}

function encode(params: string): Uint8Array {
  const parameters = readParameters(params, form);
  const [user, password] = ["userId", "password"].map((name) => requiredParameter(parameters, name, form));
  return Buffer.from(`${user}:${password}`);
}
