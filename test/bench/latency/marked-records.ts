import { randomBytes } from "node:crypto";
import type { PutRecord } from "../../harness/kinesis-stream.ts";

/** Six bytes, so that base64 of them is eight characters whatever follows. */
const mark = "~lat~@";
const digits = 9;
/** As bytes, and as the base64 that JSON carries. */
const forms = [
  { begin: Buffer.from(mark), length: digits, read: (text: string) => Number(text) },
  {
    begin: Buffer.from(Buffer.from(mark).toString("base64")),
    length: (digits / 3) * 4,
    read: (text: string) => Number(Buffer.from(text, "base64").toString("latin1")),
  },
] as const;
const longest = Math.max(...forms.map(({ begin, length }) => begin.length + length));

/** A record that is found again in the bytes of a connection: its payload begins with a mark and its number. */
export function markedRecord(number: number, sizeBytes: number): PutRecord {
  const data = randomBytes(sizeBytes);
  data.write(`${mark}${String(number).padStart(digits, "0")}`, "latin1");
  return { key: `key-${number}`, data };
}

/** Notes when the records of a run were first seen in the bytes of connections. */
export class Sightings {
  /** Milliseconds of `performance.now()`, by the record's number. */
  readonly times = new Map<number, number>();

  /** Reads one direction of one connection. */
  reader(): (chunk: Buffer) => void {
    let rest: Buffer = Buffer.alloc(0);
    return (chunk) => {
      const nowMs = performance.now();
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (const form of forms) this.#find(bytes, form, nowMs);
      // A mark may be cut in two. Seen twice, it keeps its first time.
      rest = Buffer.from(bytes.subarray(Math.max(0, bytes.length - longest + 1)));
    };
  }

  #find(bytes: Buffer, { begin, length, read }: (typeof forms)[number], nowMs: number): void {
    for (let at = bytes.indexOf(begin); at >= 0; at = bytes.indexOf(begin, at + 1)) {
      const start = at + begin.length;
      if (start + length > bytes.length) return;
      const number = read(bytes.toString("latin1", start, start + length));
      if (Number.isInteger(number) && !this.times.has(number)) this.times.set(number, nowMs);
    }
  }
}
