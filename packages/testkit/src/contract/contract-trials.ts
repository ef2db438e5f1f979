import type { SourceConstructor } from "@pulsar-ts-io/core";
import { TestClock } from "../test-clock.ts";
import type { Capability, ContractSettings, SourceContractOptions } from "./contract-options.ts";
import { ContractStage } from "./contract-stage.ts";
import { deliverySentences } from "./delivery-sentences.ts";
import { lifeSentences } from "./life-sentences.ts";
import { limitsSentences } from "./limits-sentences.ts";
import { numberSentences } from "./number-sentences.ts";
import { packageSentences } from "./package-sentences.ts";

/** One sentence about one source, ready to be tried. */
export interface ContractTrial {
  readonly says: string;
  /** What the source said it cannot do, so that the sentence does not apply. */
  readonly lacks: readonly Capability[];
  /** @throws AssertionError when the source breaks its promise. */
  run(): Promise<void>;
}

const sentences = [
  ...packageSentences,
  ...lifeSentences,
  ...deliverySentences,
  ...numberSentences,
  ...limitsSentences,
];

/** Every sentence of the standard suite, for a source of its own each. */
export function contractTrials<C>(
  Source: SourceConstructor<C>,
  options: SourceContractOptions,
): readonly ContractTrial[] {
  const settings = complete(options);
  return sentences.map(({ says, needs, check }) => ({
    says,
    lacks: needs.filter((capability) => !has(settings, capability)),
    async run() {
      await using stage = await ContractStage.open(Source, settings);
      await check(stage);
    },
  }));
}

/** What a source makes is known where it says what it makes. */
function has({ capabilities, makes }: ContractSettings, capability: Capability): boolean {
  return capabilities[capability] || (capability === "producible" && makes !== undefined);
}

function complete(options: SourceContractOptions): ContractSettings {
  const { capabilities, makes, ...given } = options;
  return {
    produce: () => {
      throw new TypeError("give produce, or say capabilities: { producible: false }");
    },
    dispose: () => Promise.resolve(),
    directory: ".",
    secrets: [],
    clock: () => new TestClock(),
    patienceMs: 15_000,
    memoryBudgetBytes: 16 * 1024 * 1024,
    kills: 20,
    makes,
    ...given,
    // Who makes values does not take them.
    capabilities: {
      replayable: true,
      anyBytes: makes === undefined,
      keys: true,
      producible: true,
      ...capabilities,
    },
  };
}
