import type { BoundedSignal } from "../wait.ts";

/** A client certificate and its key, PEM. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Who we say we are. */
export interface Authentication {
  /** Its name on the wire. */
  readonly method: string;
  /**
   * Current credentials: asked for at each connect and at each challenge.
   *
   * @throws InvalidAuthenticationError; PulsarAuthenticationError or PulsarUnreachableError of who issues them; the signal's reason.
   */
  credentials(signal: BoundedSignal): Promise<Uint8Array>;
  /** The broker does not take the last credentials, or not any more: the next ones must be new. */
  forget?(): void;
  /** What TLS shows the broker; asked for at each connect. @throws InvalidAuthenticationError */
  tlsIdentity?(signal: BoundedSignal): Promise<TlsIdentity>;
}
