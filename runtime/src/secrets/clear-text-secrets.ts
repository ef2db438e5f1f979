import type { SecretAnswer, SecretEntry, SecretsProvider } from "./secrets-provider.ts";

/** Takes texts as they are. Java's provider of that name makes the text `{path=p, key=k}` of anything else: nobody wants that. */
export class ClearTextSecrets implements SecretsProvider {
  provide(_name: string, entry: SecretEntry): Promise<SecretAnswer> {
    if (typeof entry === "string") return Promise.resolve({ kind: "found", value: entry });
    return Promise.resolve({
      kind: "missing",
      message: "says where the secret is, and nobody was told to look there",
      remedy:
        "name who looks: --secrets-provider env, or file:/directory; or write the secret's own text, or a reference",
    });
  }

  interpolate(): undefined {
    return undefined;
  }
}
