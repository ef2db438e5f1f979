export type {
  Capabilities,
  Capability,
  InvalidConfig,
  ProducedRecord,
  SourceContractOptions,
  WrittenConfig,
} from "./contract-options.ts";
export { type ContractTrial, contractTrials } from "./contract-trials.ts";
export { sourceContract } from "./source-contract.ts";
