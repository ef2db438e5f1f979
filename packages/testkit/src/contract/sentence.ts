import type { Capability } from "./contract-options.ts";
import type { ContractStage } from "./contract-stage.ts";

/** One promise of a source, and how it is tried. */
export interface Sentence {
  readonly says: string;
  /** Without these it does not apply. */
  readonly needs: readonly Capability[];
  /** @throws AssertionError when the promise is broken. */
  check<C>(stage: ContractStage<C>): Promise<void>;
}
