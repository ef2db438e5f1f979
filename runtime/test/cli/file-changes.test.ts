import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { fileChanges } from "../../src/cli/file-changes.ts";

/** A file that somebody looks at. */
class WatchedFile {
  readonly folder: string = mkdtempSync(join(tmpdir(), "watched-"));
  readonly path: string = join(this.folder, "config.yaml");
  readonly seen: string[] = [];
  readonly clock: TestClock = new TestClock();
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #stop = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();

  begin(): void {
    this.#watching = this.#watch().catch((error: unknown) => error);
  }

  /** Lets two looks pass. */
  async look(): Promise<void> {
    await this.clock.advance(1_000);
  }

  async end(): Promise<unknown> {
    this.#stop.abort(new Error("enough"));
    return await this.#watching;
  }

  async #watch(): Promise<void> {
    const { clock, logger } = this;
    const options = { from: this.#text() ?? "", read: () => Promise.resolve(this.#text()), clock, logger };
    for await (const text of fileChanges({ ...options, signal: this.#stop.signal })) this.seen.push(text);
  }

  #text(): string | undefined {
    try {
      return readFileSync(this.path, "utf8");
    } catch {
      return undefined;
    }
  }
}

function watched(text = "one"): WatchedFile {
  const file = new WatchedFile();
  writeFileSync(file.path, text);
  file.begin();
  return file;
}

describe("fileChanges", () => {
  it("tells of a file that was written in place", async () => {
    const file = watched();
    await file.look();
    expect(file.seen).toEqual([]);
    writeFileSync(file.path, "two");
    await file.look();
    writeFileSync(file.path, "three");
    await file.look();
    expect(file.seen).toEqual(["two", "three"]);
  });

  it("tells of a file that another one was renamed to, as editors do", async () => {
    const file = watched();
    writeFileSync(`${file.path}.new`, "two");
    rmSync(file.path);
    await file.clock.advance(500);
    renameSync(`${file.path}.new`, file.path);
    await file.look();
    expect(file.seen).toEqual(["two"]);
    expect(file.logger.lines).toEqual([]);
  });

  it("tells of a ConfigMap that Kubernetes updated: a link to a link that is swapped", async () => {
    const file = new WatchedFile();
    const version = (name: string, text: string) => {
      mkdirSync(join(file.folder, name));
      writeFileSync(join(file.folder, name, "config.yaml"), text);
      symlinkSync(name, join(file.folder, "..data_tmp"));
      renameSync(join(file.folder, "..data_tmp"), join(file.folder, "..data"));
    };
    version("..2026_1", "one");
    symlinkSync(join("..data", "config.yaml"), file.path);
    file.begin();
    await file.look();
    version("..2026_2", "two");
    rmSync(join(file.folder, "..2026_1"), { recursive: true });
    await file.look();
    expect(file.seen).toEqual(["two"]);
  });

  it("waits until nobody writes any more", async () => {
    const file = watched();
    for (const half of ["t", "tw", "two", "two "]) {
      writeFileSync(file.path, half);
      await file.clock.advance(500);
    }
    expect(file.seen).toEqual([]);
    await file.clock.advance(500);
    expect(file.seen).toEqual(["two "]);
  });

  it("says nothing of a file that was touched, or changed there and back", async () => {
    const file = watched();
    writeFileSync(file.path, "one");
    await file.look();
    writeFileSync(file.path, "two");
    await file.clock.advance(500);
    writeFileSync(file.path, "one");
    await file.look();
    expect(file.seen).toEqual([]);
  });

  it("says once when the file is away, and tells of it when it comes back", async () => {
    const file = watched();
    rmSync(file.path);
    await file.clock.advance(5_000);
    expect(file.logger.messages("warn")).toEqual(["the watched config file is away"]);
    writeFileSync(file.path, "two");
    await file.look();
    expect(file.seen).toEqual(["two"]);
  });

  it("ends with its signal's reason", async () => {
    const file = watched();
    await file.look();
    expect(await file.end()).toMatchObject({ message: "enough" });
  });
});
