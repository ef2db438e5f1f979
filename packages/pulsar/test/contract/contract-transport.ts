import type { Transport } from "../../src/index.ts";

/** Where a transport finds its broker. */
export interface ContractAddress {
  readonly serviceUrl: string;
  readonly listenerName: string | undefined;
}

/** A transport that is held to the contract. */
export interface ContractSubject {
  readonly name: string;
  /** May look for new partitions more often than once a minute, so that tests need not wait for that. */
  open(address: ContractAddress): Transport | Promise<Transport>;
}
