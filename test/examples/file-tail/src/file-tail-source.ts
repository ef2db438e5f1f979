import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  IllegalStateError,
  type PartitionStatus,
  type Source,
  type SourceContext,
  type SourceRecord,
  type StateStore,
} from "@pulsar-ts-io/core";
import { namesIn, patternOf } from "./file-names.ts";
import { FollowedFile, openFile } from "./followed-file.ts";
import type { FileTailSourceOptions } from "./generated/options.ts";

interface Opened {
  readonly options: FileTailSourceOptions;
  readonly context: SourceContext;
  readonly state: StateStore;
  readonly pattern: RegExp;
}

/** Follows the files of a directory, line by line. A position never passes a line that was not acknowledged. */
export class FileTailSource implements Source<FileTailSourceOptions> {
  #opened: Opened | undefined;
  readonly #files = new Map<string, FollowedFile>();
  /** Lines that were read and not yet handed out. */
  #lines: readonly SourceRecord[] = [];
  #next = 0;
  /** How many files were looked at: each look begins after the last. */
  #looks = 0;
  #storedAt = 0;

  async open(options: FileTailSourceOptions, context: SourceContext): Promise<void> {
    const { signal, state, clock } = context;
    signal.throwIfAborted();
    if (state === undefined) throw new IllegalStateError("a place for positions is needed");
    const pattern = patternOf(options);
    await namesIn(options.directory, pattern);
    await state.get("files"); // says so when the host has no store
    this.#storedAt = clock.monotonic();
    this.#opened = { options, context, state, pattern };
  }

  async read(): Promise<SourceRecord> {
    const { options, context } = this.#whenOpen();
    const { signal, clock } = context;
    for (;;) {
      signal.throwIfAborted();
      const line = this.#lines[this.#next];
      if (line !== undefined) {
        this.#next += 1;
        return line;
      }
      await this.#storeWhenDue();
      this.#lines = await this.#moreLines();
      this.#next = 0;
      if (this.#lines.length === 0) await clock.sleep(options.pollIntervalMs, signal);
    }
  }

  /** Acknowledgements have all arrived: the positions are stored for the next start. */
  async close(): Promise<void> {
    if (this.#opened !== undefined) await this.#store();
  }

  status(): readonly PartitionStatus[] {
    return [...this.#files.values()].map(({ id, window }) => ({ id, position: `byte ${window.safe}` }));
  }

  async #storeWhenDue(): Promise<void> {
    const { options, context } = this.#whenOpen();
    const now = context.clock.monotonic();
    if (now - this.#storedAt < options.checkpointIntervalMs) return;
    this.#storedAt = now;
    await this.#store();
  }

  async #store(): Promise<void> {
    const { state } = this.#whenOpen();
    for (const file of this.#files.values()) {
      const { safe } = file.window;
      if (safe === file.stored) continue;
      await state.put(file.id, new TextEncoder().encode(String(safe)));
      file.stored = safe;
    }
  }

  /** The next lines of the next file that has any. */
  async #moreLines(): Promise<readonly SourceRecord[]> {
    const { options, pattern } = this.#whenOpen();
    const names = await namesIn(options.directory, pattern);
    for (let count = 0; count < names.length; count += 1) {
      this.#looks += 1;
      const lines = await this.#linesOf(names[this.#looks % names.length] ?? "");
      if (lines.length > 0) return lines;
    }
    return [];
  }

  async #linesOf(name: string): Promise<readonly SourceRecord[]> {
    const { options } = this.#whenOpen();
    const opened = await openFile(join(options.directory, name));
    if (opened === undefined) return [];
    try {
      const followed = await this.#follow(opened.id);
      return (await followed?.read(opened.file, name, options.maxLineBytes)) ?? [];
    } finally {
      await opened.file.close();
    }
  }

  /** Each file is one instance's. */
  async #follow(id: string): Promise<FollowedFile | undefined> {
    const known = this.#files.get(id);
    if (known !== undefined) return known;
    const { state, context } = this.#whenOpen();
    const { instanceId, numInstances } = context;
    if (createHash("sha256").update(id).digest().readUInt32BE() % numInstances !== instanceId)
      return undefined;
    const stored = await state.get(id);
    const start = stored === undefined ? 0 : Number(new TextDecoder().decode(stored));
    const file = new FollowedFile(id, start);
    this.#files.set(id, file);
    return file;
  }

  #whenOpen(): Opened {
    if (this.#opened === undefined) throw new IllegalStateError("the source is not open");
    return this.#opened;
  }
}
