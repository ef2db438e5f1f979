import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Header } from "tar";

/** One entry of a tar file that a test writes by hand; what no honest tool would write, too. */
export interface TarEntry {
  readonly path: string;
  readonly type?: "File" | "Directory" | "SymbolicLink" | "Link" | "CharacterDevice" | "BlockDevice" | "FIFO";
  readonly content?: string | Uint8Array;
  readonly linkpath?: string;
}

const blockBytes = 512;

export function tarBytes(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = "File", content = "", linkpath }) => {
    const bytes = Buffer.from(content);
    const block = Buffer.alloc(blockBytes);
    const mode = type === "Directory" ? 0o755 : 0o644;
    const link = linkpath === undefined ? {} : { linkpath };
    new Header({ path, type, size: bytes.length, mode, mtime: new Date(0), ...link }).encode(block);
    return [block, bytes, Buffer.alloc(-bytes.length & (blockBytes - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

/** Writes an archive; answers its path. */
export function writeArchive(
  folder: string,
  entries: readonly TarEntry[],
  change: (gzip: Buffer) => Buffer = (gzip) => gzip,
): string {
  const path = join(folder, "connector.tgz");
  writeFileSync(path, change(gzipSync(tarBytes(entries))));
  return path;
}

/** The files of a connector that works; `changes` replace some, `undefined` leaves one out. */
export function connectorFiles(
  changes: Readonly<Record<string, string | undefined>> = {},
): readonly TarEntry[] {
  const files = {
    "package.json": JSON.stringify({
      name: "pulsar-io-packed",
      version: "1.2.3",
      type: "module",
      pulsarIo: "pulsar-io.yaml",
    }),
    "pulsar-io.yaml":
      'name: packed\ndescription: For tests.\nsourceClass: index.js#PackedSource\nsourceConfigSchema: schema.json\napiVersion: "1"\n',
    "schema.json": JSON.stringify({ type: "object", properties: { count: { type: "integer", default: 1 } } }),
    "index.js": endingSource,
    ...changes,
  };
  return Object.entries(files).flatMap(([path, content]) =>
    content === undefined ? [] : [{ path: `package/${path}`, content }],
  );
}

/** A source of one record, after which it fails: so that a run comes to an end. */
const endingSource = `
export class PackedSource {
  #read = 0;
  async open() {}
  async read() {
    if (this.#read++ > 0) throw new Error("that was all");
    return { value: new TextEncoder().encode("hello"), ack() {} };
  }
  async close() {}
}
`;
