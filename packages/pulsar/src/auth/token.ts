import { InvalidAuthenticationError } from "../errors.ts";
import type { Authentication } from "./authentication.ts";
import { type ParametersForm, readParameters, requiredParameter } from "./parameters.ts";
import { secretReader } from "./secret-text.ts";

const form: ParametersForm = {
  plugin: "token",
  remedy: 'give the token as token:…, file:///path, env:NAME or {"token":"…"}',
};

/** A JSON web token. @throws InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`) */
export function tokenAuthentication(
  params: string,
  environment: Readonly<Record<string, string | undefined>>,
): Authentication {
  const read = secretReader(params, "the token", environment) ?? constant(params);
  return {
    method: "token",
    async credentials() {
      const token = await read();
      if (/^[!-~]+$/.test(token)) return Buffer.from(token);
      const why = token === "" ? "is empty" : "holds blanks or characters that no token has";
      throw new InvalidAuthenticationError(`the authentication token ${why}`, { remedy: form.remedy });
    },
  };
}

function constant(params: string): () => Promise<string> {
  const isText = params !== "" && !params.startsWith("{");
  const text = isText
    ? params.replace(/^token:/, "")
    : requiredParameter(readParameters(params, form), "token", form);
  return () => Promise.resolve(text.trim());
}
