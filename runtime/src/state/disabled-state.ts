import type { StateStore } from "@pulsar-ts-io/core";
import { StateDisabledError } from "./state-errors.ts";

/**
 * What a source finds where there is no state store: every call fails with Pulsar's own text.
 *
 * @see ContextImpl.ensureStateEnabled in apache/pulsar
 */
export class DisabledState implements StateStore {
  readonly #name: string;

  /** @param name `tenant/namespace/name` of the source. */
  constructor(name: string) {
    this.#name = name;
  }

  get(): Promise<never> {
    return this.#refuse();
  }

  put(): Promise<never> {
    return this.#refuse();
  }

  delete(): Promise<never> {
    return this.#refuse();
  }

  incrCounter(): Promise<never> {
    return this.#refuse();
  }

  getCounter(): Promise<never> {
    return this.#refuse();
  }

  #refuse(): Promise<never> {
    const remedy =
      "give the source a store with --state-store, such as --state-store file:/var/lib/my-source";
    return Promise.reject(new StateDisabledError(`State ${this.#name} is not enabled.`, { remedy }));
  }
}
