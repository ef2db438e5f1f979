import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { SourceRecord } from "@pulsar-ts-io/core";
import { AckWindow } from "./ack-window.ts";
import { LineTooLongError } from "./errors.ts";

const newline = 0x0a;
const chunkBytes = 64 * 1024;
/** So much of its first line tells a file from others. */
const markBytes = 1024;

/** One file, under whatever name, and how far it was read and acknowledged. */
export class FollowedFile {
  /** The file's number in its file system, and its first line: a number may come again, and a file may be emptied. */
  readonly id: string;
  readonly window: AckWindow;
  /** The position that the state store has. */
  stored: number;
  #next: number;

  constructor(id: string, start: number) {
    this.id = id;
    this.window = new AckWindow(start);
    this.stored = start;
    this.#next = start;
  }

  /** The next lines that are whole: some, not all. @throws LineTooLongError (`FILE_TAIL_LINE_TOO_LONG`). */
  async read(file: FileHandle, name: string, maxLineBytes: number): Promise<readonly LineRecord[]> {
    for (let size = chunkBytes; ; size *= 2) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, this.#next);
      const lines = this.#linesIn(buffer.subarray(0, bytesRead), name, maxLineBytes);
      if (lines.length === 0 && bytesRead > maxLineBytes) throw tooLong(name, this.#next, maxLineBytes);
      if (lines.length > 0 || bytesRead < size) return lines;
    }
  }

  /** Those before one that is too long are handed out first. */
  #linesIn(bytes: Buffer, name: string, maxLineBytes: number): readonly LineRecord[] {
    const key = name.split(".")[0] ?? name;
    const lines: LineRecord[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      if (end - start > maxLineBytes) break;
      lines.push(new LineRecord(this, key, bytes.subarray(start, end), this.#next + start));
      start = end + 1;
    }
    this.#next += start;
    return lines;
  }
}

/** One line: a class, as there is one for each record. */
export class LineRecord implements SourceRecord {
  readonly value: Uint8Array;
  readonly key: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly partitionId: string;
  readonly recordSequence: bigint;
  readonly #file: FollowedFile;
  readonly #start: number;

  constructor(file: FollowedFile, key: string, value: Uint8Array, start: number) {
    this.value = value;
    this.key = key;
    this.properties = { "file.offset": String(start) };
    this.partitionId = file.id;
    this.recordSequence = BigInt(start);
    this.#file = file;
    this.#start = start;
  }

  ack(): void {
    this.#file.window.acknowledge(this.#start, this.#start + this.value.length + 1);
  }
}

/** Opens a file and says which one it is; `undefined`: it has no first line yet, or is gone. The caller closes it. */
export async function openFile(path: string): Promise<{ file: FileHandle; id: string } | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(markBytes), 0, markBytes, 0);
  const end = buffer.subarray(0, bytesRead).indexOf(newline);
  if (end < 0 && bytesRead < markBytes) {
    await file.close();
    return undefined;
  }
  const mark = buffer.subarray(0, end < 0 ? markBytes : end);
  const { ino } = await file.stat();
  return { file, id: `${ino}-${createHash("sha256").update(mark).digest("hex").slice(0, 16)}` };
}

function tooLong(name: string, offset: number, maxLineBytes: number): LineTooLongError {
  return new LineTooLongError(`a line of ${name} is longer than ${maxLineBytes} bytes, at byte ${offset}`, {
    remedy: "raise maxLineBytes, or have the file written in shorter lines",
  });
}
