import { mintToken } from "./pulsar-token.ts";

/** What a broker's configuration file is made of; the names are those of Pulsar's `standalone.conf`. */
export type PulsarSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * Settings for a standalone broker with one bookie that starts fast and needs little.
 * `bookieId` is left out on purpose: empty is an error to the bookie.
 */
export function standaloneSettings(brokerPort: number, adminPort: number, host: string): PulsarSettings {
  return {
    clusterName: "standalone",
    brokerServicePort: brokerPort,
    webServicePort: adminPort,
    bindAddress: host,
    advertisedAddress: "127.0.0.1",
    managedLedgerDefaultEnsembleSize: 1,
    managedLedgerDefaultWriteQuorum: 1,
    managedLedgerDefaultAckQuorum: 1,
    // A topic must stay to be read back after its producers have gone.
    brokerDeleteInactiveTopicsEnabled: false,
    brokerShutdownTimeoutMs: 1_000,
    // A test kills the process, not the machine: what the kernel has is safe.
    journalSyncData: false,
    // A test machine's disk may be almost full; a bookie that turns read-only says so in a strange way.
    diskUsageThreshold: 0.999,
    diskUsageWarnThreshold: 0.998,
    diskUsageLwmThreshold: 0.998,
    // Pulsar 3 ends where it cannot read the speed of the network card, as in most virtual machines.
    loadBalancerOverrideBrokerNicSpeedGbps: 1,
    numIOThreads: 2,
    numHttpServerThreads: 8,
  };
}

/** The broker's own port, and those that clients of other listeners are sent to. */
export function listenerSettings(
  brokerPort: number,
  listeners: Readonly<Record<string, number>>,
): PulsarSettings {
  const all = Object.entries({ internal: brokerPort, ...listeners });
  return {
    // The broker refuses to have both; without an address the bookie must be told that loopback will do.
    advertisedAddress: "",
    allowLoopback: true,
    advertisedListeners: all.map(([name, port]) => `${name}:pulsar://127.0.0.1:${port}`).join(","),
    internalListenerName: "internal",
  };
}

/** The text of a configuration file. */
export function settingsFile(settings: PulsarSettings): string {
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n")}\n`;
}

/** Every client needs a token signed with `secret`; the role `admin` may do everything. */
export function tokenSettings(secret: Buffer): PulsarSettings {
  return {
    authenticationEnabled: true,
    authorizationEnabled: true,
    authenticationProviders: "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
    tokenSecretKey: `data:;base64,${secret.toString("base64")}`,
    superUserRoles: "admin",
    brokerClientAuthenticationPlugin: "org.apache.pulsar.client.impl.auth.AuthenticationToken",
    brokerClientAuthenticationParameters: `token:${mintToken(secret, "admin")}`,
  };
}
