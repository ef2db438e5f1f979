export {
  type ConnectorKind,
  connectorKinds,
  createConnector,
  type NewConnector,
} from "./create-connector.ts";
export { CreateError } from "./errors.ts";
export { nextSteps } from "./next-steps.ts";
