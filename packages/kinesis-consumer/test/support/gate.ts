/** Lets through while it is open, which it is at first. */
export class Gate {
  #shut: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  get closed(): boolean {
    return this.#shut !== undefined;
  }

  /** Waits until it is open. */
  passed(): Promise<void> {
    return this.#shut?.promise ?? Promise.resolve();
  }

  close(): void {
    this.#shut ??= unresolved();
  }

  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }
}

function unresolved(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
