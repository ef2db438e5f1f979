/** The SDK's providers, for the connector that configures them: one copy of the SDK serves them and the clients. */
export { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
