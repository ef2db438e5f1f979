import type { SecretAnswer, SecretEntry, SecretsProvider } from "./secrets-provider.ts";

/**
 * Finds secrets in environment variables of their names, as Kubernetes sets them; else, for `{path, key}`, in one named after both.
 *
 * @see EnvironmentBasedSecretsProvider in apache/pulsar, which knows the first place only
 */
export class EnvironmentSecrets implements SecretsProvider {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  provide(name: string, entry: SecretEntry): Promise<SecretAnswer> {
    const names = typeof entry === "string" ? [name] : [name, joined(entry)];
    for (const candidate of names) {
      const value = this.#env[candidate];
      if (value !== undefined) return Promise.resolve({ kind: "found", value });
    }
    return Promise.resolve({
      kind: "missing",
      message: `is in no environment variable: ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} not set`,
      remedy: `set ${name} where this program runs`,
    });
  }

  interpolate(name: string): string | undefined {
    return this.#env[name];
  }
}

/** As the names of variables are written: `db-login` and `password` make `DB_LOGIN_PASSWORD`. */
function joined({ path, key }: { readonly path: string; readonly key: string }): string {
  return `${path}_${key}`.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}
