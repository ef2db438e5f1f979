import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { codeOf, toError } from "@pulsar-ts-io/core";
import { UnpackSync } from "tar";
import { PluginArchiveError } from "../plugin/errors.ts";
import { type ArchiveLimits, EntryGate } from "./entry-gate.ts";

/** The header, the padding and the PAX records of an entry, at most; what is above belongs to no entry. */
const overheadBytes = 4096;
/** The first byte of what gzip makes; no path begins with it. */
const gzipMagic = 0x1f;
const damaged = "get the archive again: it arrived incomplete, or is no archive of a connector";

/**
 * Unpacks an archive into `folder`, which is empty. Every entry is looked at before anything of it is written.
 *
 * @returns the SHA-256 of what was read, in hexadecimal.
 * @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`); what was unpacked until then is the caller's to delete.
 */
export async function unpackArchive(archive: string, folder: string, limits: ArchiveLimits): Promise<string> {
  const gate = new EntryGate(archive, limits);
  const hash = createHash("sha256");
  const unpacking = new Unpacking(gate, folder);
  const gunzip = createGunzip();
  const input = createReadStream(archive);
  input.on("data", (chunk) => hash.update(chunk));
  input.on("error", (error) => gunzip.destroy(error));
  const most = limits.maxUnpackedBytes + limits.maxEntries * overheadBytes;
  let bytes = 0;
  try {
    for await (const chunk of input.pipe(gunzip)) {
      // The library would unpack that, too, and nobody would count what comes out of it.
      if (bytes === 0 && chunk[0] === gzipMagic) throw new Error("it is compressed twice");
      bytes += chunk.length;
      if (bytes > most) throw new Error("it never ends");
      unpacking.write(chunk);
    }
    unpacking.end();
  } catch (cause) {
    if (codeOf(cause) === "PIO_PLUGIN_ARCHIVE") throw cause;
    throw new PluginArchiveError(`the archive ${archive} cannot be unpacked: ${reason(cause)}`, {
      cause,
      remedy: damaged,
    });
  } finally {
    input.destroy();
    gunzip.destroy();
  }
  return hash.digest("hex");
}

/** The tar library behind the gate; it works while it is written to, so that the first refusal ends it. */
class Unpacking {
  readonly #unpack: UnpackSync;
  #failure: Error | undefined;

  constructor(gate: EntryGate, cwd: string) {
    const refuse = (entry: { readonly path: string; readonly type: string; readonly size: number }) => {
      try {
        if (this.#failure === undefined) gate.admit(entry);
      } catch (error) {
        this.#failure = toError(error);
      }
      return this.#failure === undefined;
    };
    this.#unpack = new UnpackSync({
      cwd,
      strict: true,
      noMtime: true,
      preserveOwner: false,
      brotli: false,
      zstd: false,
      filter: (_path, entry) => {
        if (!("type" in entry) || !refuse(entry)) return false;
        entry.mode = entry.type === "Directory" ? 0o755 : 0o644;
        return true;
      },
    });
    this.#unpack.on("ignoredEntry", refuse); // a kind that the library passes over is none that a connector needs
    this.#unpack.on("error", (error: Error) => {
      this.#failure ??= error;
    });
  }

  write(chunk: Buffer): void {
    this.#unpack.write(chunk);
    this.#check();
  }

  end(): void {
    this.#unpack.end();
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function reason(cause: unknown): string {
  switch (codeOf(cause)) {
    case "ENOENT":
      return "there is no such file";
    case "Z_DATA_ERROR":
      return "it is not compressed with gzip";
    case "Z_BUF_ERROR":
    case "TAR_BAD_ARCHIVE":
      return "it ends in the middle, or is no tar file";
    default:
      return toError(cause).message;
  }
}
