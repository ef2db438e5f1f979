import { type LocalPulsar, startPulsar } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { describeWithStack } from "../stack.ts";

describeWithStack("a broker that speaks TLS and demands a token", (stack) => {
  it("is published to with its authority trusted, and refused with the reason without", async () => {
    await using broker = await startPulsar({ tls: true, token: true });
    const { tlsServiceUrl, tlsTrustCertsFile, token } = withTls(broker);
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    await using journey = await Journey.begin(own, "tls", 1, { token });
    await journey.putTexts(50);
    const authentication = ["--client-auth-plugin", "token", "--client-auth-params", "env:MY_TOKEN"];
    const secured = { pulsarServiceUrl: tlsServiceUrl, env: { MY_TOKEN: token } };

    await using trusting = journey.run({
      ...secured,
      args: [...authentication, "--tls-trust-cert-path", tlsTrustCertsFile],
    });
    await journey.arrived();
    expect(await trusting.stop(), trusting.output).toEqual(cleanExit);
    expect(journey.comparison()).toEqual(exactlyAsPut);

    await journey.putTexts(50);
    // As a worker passes its flags on: a plain address, TLS by flag, any certificate by name.
    await using insecure = journey.run({
      ...secured,
      pulsarServiceUrl: tlsServiceUrl.replace("pulsar+ssl:", "pulsar:"),
      args: [
        ...["--client_auth_plugin", "org.apache.pulsar.client.impl.auth.AuthenticationToken"],
        ...["--client_auth_params", "env:MY_TOKEN"],
        ...["--use_tls", "true", "--tls_allow_insecure", "true", "--hostname_verification_enabled", "false"],
      ],
    });
    await journey.arrived();
    expect(await insecure.stop(), insecure.output).toEqual(cleanExit);
    expect(journey.comparison()).toEqual(exactlyAsPut);

    await using distrusting = journey.run({ ...secured, args: authentication });
    expect(await distrusting.exited, distrusting.output).toEqual({ code: 5, signal: null });
    expect(distrusting.output).toMatch(/^error: .*certificate.* \[PIO_PULSAR_TLS\]$/m);
    expect(distrusting.output).toMatch(/^remedy: .*--tls-trust-cert-path|^remedy: .*trust/m);
    expect(distrusting.output).not.toContain(token);
  });
});

function withTls(broker: LocalPulsar) {
  const { tlsServiceUrl, tlsTrustCertsFile, token } = broker;
  if (tlsServiceUrl === undefined || tlsTrustCertsFile === undefined || token === undefined) {
    throw new Error("the broker was started without TLS or without a token");
  }
  return { tlsServiceUrl, tlsTrustCertsFile, token };
}
