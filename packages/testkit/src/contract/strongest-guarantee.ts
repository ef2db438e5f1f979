import type { Guarantee } from "@pulsar-ts-io/core";
import type { ContractStage } from "./contract-stage.ts";

/** With effectively once a source may number what it does not number else; it may also refuse to open. */
export async function strongestGuarantee<C>(stage: ContractStage<C>): Promise<Guarantee> {
  stage.guarantee = "EFFECTIVELY_ONCE";
  const stop = new AbortController();
  const source = stage.newSource();
  try {
    await stage.within(source.open(stage.config(), stage.context(stop.signal)));
    return stage.guarantee;
  } catch {
    return "ATLEAST_ONCE";
  } finally {
    stop.abort(new Error("the contract suite has seen enough"));
    await stage.within(source.close());
  }
}
