import type { SourceConstructor } from "@pulsar-ts-io/core";
import { describe, it } from "vitest";
import type { SourceContractOptions } from "./contract-options.ts";
import { contractTrials } from "./contract-trials.ts";

/** A sentence may need a while: it is the patience inside of it that says what took too long. */
const testTimeoutMs = 300_000;

/**
 * The standard suite of a source, as tests of vitest: one for each promise that it makes.
 *
 * What `capabilities` say that the source cannot do is reported as skipped, with the reason in the test's name.
 */
export function sourceContract<C>(Source: SourceConstructor<C>, options: SourceContractOptions): void {
  describe(`the contract of ${Source.name}`, () => {
    for (const { says, lacks, run } of contractTrials(Source, options)) {
      if (lacks.length > 0) it.skip(`${says} (skipped: not ${lacks.join(", not ")})`);
      else it(says, run, testTimeoutMs);
    }
  });
}
