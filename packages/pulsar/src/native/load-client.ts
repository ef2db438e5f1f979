import { codeOf, toError } from "@pulsar-ts-io/core";
import { NativeClientMissingError } from "../errors.ts";

/** What we need of the official package. Its types stay in this folder: who uses ours need not have it. */
export type NativeModule = Pick<
  typeof import("pulsar-client"),
  | "Client"
  | "LogLevel"
  | "AuthenticationToken"
  | "AuthenticationTls"
  | "AuthenticationBasic"
  | "AuthenticationOauth2"
  | "AuthenticationAthenz"
>;

const wireInstead = "or use the wire transport, which needs nothing installed (--pulsar-transport wire)";

/**
 * Loads `pulsar-client`, which only those have who asked for it.
 *
 * @param load imports the package.
 * @throws NativeClientMissingError (`PIO_NATIVE_CLIENT_MISSING`), which tells a missing package from a missing library.
 */
export async function loadClient(load: () => Promise<unknown>): Promise<NativeModule> {
  try {
    const loaded = await load();
    // A CommonJS package: imported, it is the default export. Its own types say what it holds.
    return (isObject(loaded) && "default" in loaded ? loaded.default : loaded) as NativeModule;
  } catch (error) {
    throw missing(toError(error));
  }
}

function missing(error: Error): NativeClientMissingError {
  const options = (remedy: string) => ({ cause: error, remedy: `${remedy}, ${wireInstead}` });
  if (codeOf(error) === "ERR_MODULE_NOT_FOUND") {
    return new NativeClientMissingError(
      "the native transport needs the package pulsar-client, which is not installed",
      options("install it beside this program: npm install pulsar-client@1.18.0"),
    );
  }
  if (codeOf(error) === "MODULE_NOT_FOUND") {
    return new NativeClientMissingError(
      "the package pulsar-client is installed without its native library",
      options(
        "let its install script run where it can reach its download host (npm rebuild pulsar-client; with pnpm allow its build)",
      ),
    );
  }
  return new NativeClientMissingError(
    `the native library of pulsar-client cannot be loaded here: ${error.message}`,
    options("install pulsar-client on this very kind of machine (system, C library, processor)"),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
