export type {
  Capabilities,
  Capability,
  InvalidConfig,
  MadeRecords,
  ProducedRecord,
  SourceContractOptions,
  WrittenConfig,
} from "./contract-options.ts";
export { type ContractTrial, contractTrials } from "./contract-trials.ts";
export { sourceContract } from "./source-contract.ts";
