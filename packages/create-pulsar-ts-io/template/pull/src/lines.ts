import { type FileHandle, open } from "node:fs/promises";
import { codeOf, ConnectorError } from "@pulsar-ts-io/core";

const newline = 0x0a;
/** What is fetched at once, unless a line is longer. */
const chunkBytes = 64 * 1024;
/** What Pulsar takes, as it comes. */
const maxLineBytes = 5 * 1024 * 1024;

/** A line is longer than what Pulsar takes: it is not cut, for nobody would notice. */
export class LineTooLongError extends ConnectorError {
  readonly code = "LINE_TOO_LONG";
  readonly retryable = false;
}

/** Some lines of a file. */
export interface Lines {
  /** Where the first of them begins, in bytes. */
  readonly start: number;
  readonly lines: readonly Uint8Array[];
}

/**
 * The next whole lines of the file from byte `start` on: some, not all; from its beginning, when it was cut short since.
 *
 * @returns no lines while there are none, or no file.
 * @throws LineTooLongError (`LINE_TOO_LONG`).
 */
export async function readLines(path: string, start: number): Promise<Lines> {
  const file = await openFile(path);
  if (file === undefined) return { start, lines: [] };
  try {
    const { size } = await file.stat();
    const from = size < start ? 0 : start;
    return { start: from, lines: await linesFrom(file, from) };
  } finally {
    await file.close();
  }
}

async function linesFrom(file: FileHandle, start: number): Promise<readonly Uint8Array[]> {
  for (let bytes = chunkBytes; ; bytes *= 2) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(bytes), 0, bytes, start);
    const lines = wholeLines(buffer.subarray(0, bytesRead));
    if (lines.length > 0 || bytesRead < bytes) return lines;
    if (bytes > maxLineBytes) {
      throw new LineTooLongError(`the line at byte ${start} is longer than ${maxLineBytes} bytes`, {
        remedy: "have the file written in shorter lines",
      });
    }
  }
}

function wholeLines(bytes: Buffer): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined; // it may come into being later
    throw error;
  }
}
