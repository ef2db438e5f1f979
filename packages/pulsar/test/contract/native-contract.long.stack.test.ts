import { silentMeter, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { describe, it } from "vitest";
import { createNativeTransport } from "../../src/index.ts";
import { transportContract } from "./transport-contract.ts";

const tls = { allowInsecure: false, hostnameVerification: true };

/** No case is left out; new partitions are seen after the minute that the client takes for it, which nobody can shorten. */
if (process.env["PULSAR_TS_IO_NATIVE"] === "1")
  transportContract({
    name: "the native transport",
    open: ({ serviceUrl, listenerName }) =>
      createNativeTransport(
        { serviceUrl, listenerName, tls },
        { clock: systemClock, logger: new RecordingLogger(), meter: silentMeter },
      ),
  });
else
  describe.skip("the contract of a transport, kept by the native transport (skipped: PULSAR_TS_IO_NATIVE=1 says that its library is there)", () =>
    it("keeps it", () => undefined));
