export type { InstanceSnapshot } from "./instance/counters.ts";
export { InstanceFailedError, type Stage } from "./instance/errors.ts";
export { Instance } from "./instance/instance.ts";
export type { InstanceOptions } from "./instance/instance-options.ts";
export type { ConnectorReference } from "./plugin/archive-reference.ts";
export type { ConfigSchema, ConnectorPackage } from "./plugin/connector-package.ts";
export { loadSource } from "./plugin/load-source.ts";
export {
  type ConnectorListing,
  PluginHost,
  type PluginHostOptions,
} from "./plugin/plugin-host.ts";
export {
  type ConnectorConfigInput,
  type ConnectorConfigOutcome,
  resolveConnectorConfig,
} from "./source-config/connector-config.ts";
export { openState, type StatePlace } from "./state/open-state.ts";
