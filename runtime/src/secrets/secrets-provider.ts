/** A value of Pulsar's secrets map: a text, or where the provider finds it. */
export type SecretEntry = string | { readonly path: string; readonly key: string };

/** What became of one secret. */
export type SecretAnswer =
  | { readonly kind: "found"; readonly value: string }
  /** Neither of the two holds a secret. */
  | { readonly kind: "missing"; readonly message: string; readonly remedy: string };

/** Turns the secrets map into secrets. Mirrors `org.apache.pulsar.functions.secretsprovider.SecretsProvider`. */
export interface SecretsProvider {
  provide(name: string, entry: SecretEntry): Promise<SecretAnswer>;
  /** What a text of the config stands for that is nothing but `${NAME}`; `undefined`: it stands for itself. */
  interpolate(name: string): string | undefined;
}
