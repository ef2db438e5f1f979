import { codeOf } from "@pulsar-ts-io/core";
import { PulsarTlsError } from "../errors.ts";
import { type BrokerAddress, formatAddress } from "./service-url.ts";

interface Explanation {
  readonly why: string;
  readonly remedy: string;
}

/**
 * @param error what happened between the TCP connection and the end of the TLS handshake.
 * @param through names the proxy, if one is in use.
 */
export function tlsFailure(address: BrokerAddress, error: Error, through = ""): PulsarTlsError {
  const code = codeOf(error) ?? "closed";
  const where = formatAddress(address);
  const { why, remedy } = tlsAlert(code) ?? explain(code, error);
  return new PulsarTlsError(`no TLS with ${where}${through}: ${why}`, {
    cause: error,
    details: { address: where, reason: code },
    remedy,
  });
}

/** The other side's complaint about us, which may come only after our side of the handshake has ended; `undefined`: it is none. */
export function refusedIdentity(name: string, error: Error): PulsarTlsError | undefined {
  const code = codeOf(error) ?? "";
  const alert = tlsAlert(code);
  if (alert === undefined) return undefined;
  return new PulsarTlsError(`no TLS with ${name}: ${alert.why}`, {
    cause: error,
    details: { address: name, reason: code },
    remedy: alert.remedy,
  });
}

const aboutCertificates = /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/;

/** OpenSSL's name for an alert that the other side sent. */
function tlsAlert(code: string): Explanation | undefined {
  if (!/^ERR_SSL_.*ALERT/.test(code)) return undefined;
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code)) {
    return {
      why: `the broker wants a client certificate (${code})`,
      remedy:
        "use the authentication plugin tls with tlsCertFile and tlsKeyFile (--client-auth-plugin, --client-auth-params)",
    };
  }
  if (aboutCertificates.test(code)) {
    return {
      why: `the broker does not accept our client certificate (${code})`,
      remedy: "use a certificate of an authority that the broker trusts, and one that has not expired",
    };
  }
  return undefined;
}

function explain(code: string, error: Error): Explanation {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      why: "the certificate is for another host",
      remedy:
        "connect by a name the certificate carries, or turn host name verification off (--hostname-verification-enabled false)",
    };
  }
  if (code === "CERT_HAS_EXPIRED") {
    return { why: "the certificate has expired", remedy: "renew the broker's certificate" };
  }
  if (code === "CERT_NOT_YET_VALID") {
    return { why: "the certificate is not valid yet", remedy: "look at the clocks of both machines" };
  }
  if (speaksNoTls(code)) {
    return {
      why: `the other side does not speak it (${code})`,
      remedy: "use the broker's TLS port with pulsar+ssl://, or pulsar:// for the plain one",
    };
  }
  const remedy =
    "name the certificate authority of the broker as trusted certificate (--tls-trust-cert-path)";
  if (code.includes("SELF_SIGNED")) {
    return { why: `the certificate is signed by no one we trust (${code})`, remedy };
  }
  if (code.startsWith("UNABLE_TO_")) {
    return { why: `the certificate's authority is not known (${code})`, remedy };
  }
  return { why: `${error.message} (${code})`, remedy };
}

/** A Pulsar broker's plain port hangs up on a TLS handshake. */
function speaksNoTls(code: string): boolean {
  return code === "EPROTO" || code === "ECONNRESET" || code === "closed" || code.startsWith("ERR_SSL_");
}
