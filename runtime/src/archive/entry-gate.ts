import { PluginArchiveError } from "../plugin/errors.ts";

/** What an archive may hold at most. Generous for a connector with its dependencies, far below what harms a machine. */
export interface ArchiveLimits {
  readonly maxArchiveBytes: number;
  readonly maxUnpackedBytes: number;
  readonly maxEntries: number;
}

export const defaultArchiveLimits: ArchiveLimits = {
  maxArchiveBytes: 256 * 1024 * 1024,
  maxUnpackedBytes: 1024 * 1024 * 1024,
  maxEntries: 100_000,
};

/** One entry as its header describes it. */
export interface ArchiveEntry {
  readonly path: string;
  readonly type: string;
  readonly size: number;
}

/** The folder that everything in an archive lies in, as in npm's. */
export const archiveFolder = "package";

/** Longer ones cannot be written everywhere. */
const maxPathLength = 512;
const files = new Set(["File", "OldFile", "ContiguousFile"]);
const remedy = "do not use it; an archive is made with `pulsar-ts-io package`";

/** Lets the entries of one archive pass that are plain files and folders of one package, each once, within the limits. */
export class EntryGate {
  readonly #archive: string;
  readonly #limits: ArchiveLimits;
  readonly #kinds = new Map<string, "file" | "folder">();
  #entries = 0;
  #unpackedBytes = 0;

  constructor(archive: string, limits: ArchiveLimits) {
    this.#archive = archive;
    this.#limits = limits;
  }

  /** @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`) naming the entry and what is wrong with it. */
  admit({ path, type, size }: ArchiveEntry): void {
    this.#entries += 1;
    const { maxEntries } = this.#limits;
    if (this.#entries > maxEntries) throw this.#refusal(`it holds more than ${maxEntries} entries`);
    const folder = type === "Directory";
    if (!folder && !files.has(type)) throw this.#refusal(`${shown(path)} is ${kindOf(type)}`);
    const defect = pathDefect(folder ? path.replace(/\/$/, "") : path);
    if (defect !== undefined) throw this.#refusal(`${shown(path)} ${defect}`);
    this.#claim(path.replace(/\/$/, ""), folder ? "folder" : "file");
    this.#count(size);
  }

  #claim(path: string, kind: "file" | "folder"): void {
    const segments = path.split("/");
    for (const [index] of segments.entries()) {
      const last = index === segments.length - 1;
      // Where file names do not tell case or composition apart, the later one would take the earlier one's place.
      const place = segments
        .slice(0, index + 1)
        .join("/")
        .normalize("NFC")
        .toLowerCase();
      const known = this.#kinds.get(place);
      if (last ? known === "file" || (known === "folder" && kind === "file") : known === "file") {
        throw this.#refusal(`${shown(path)} stands in it twice`);
      }
      this.#kinds.set(place, last ? kind : "folder");
    }
  }

  #count(size: number): void {
    this.#unpackedBytes += size;
    const { maxUnpackedBytes } = this.#limits;
    if (this.#unpackedBytes > maxUnpackedBytes) {
      throw this.#refusal(`it would unpack to more than ${maxUnpackedBytes} bytes`);
    }
  }

  #refusal(why: string): PluginArchiveError {
    return new PluginArchiveError(`the archive ${this.#archive} is refused: ${why}`, { remedy });
  }
}

function pathDefect(path: string): string | undefined {
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) return "is an absolute path";
  const segments = path.split("/");
  if (segments.includes("..")) return "leaves the archive's folder";
  if (segments[0] !== archiveFolder) return `does not lie in ${archiveFolder}/`;
  if (path.length > maxPathLength) return `is longer than ${maxPathLength} characters`;
  if (segments.some((segment) => segment === "" || segment === "." || !/^[^\p{Cc}\\]+$/u.test(segment))) {
    return "is no plain path";
  }
  return undefined;
}

function kindOf(type: string): string {
  if (type === "SymbolicLink") return "a symbolic link";
  if (type === "Link") return "a hard link";
  if (type === "CharacterDevice" || type === "BlockDevice") return "a device";
  if (type === "FIFO") return "a pipe";
  return `of an unknown kind (${type})`;
}

/** A path may be made to write over the terminal. */
function shown(path: string): string {
  const text = path.length > 100 ? `${path.slice(0, 100)}…` : path;
  return JSON.stringify(text);
}
