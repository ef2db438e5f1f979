import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runDevLoop } from "../../src/author/dev-loop.ts";

/** What is no connector can be built and run as often as one: it ends at once. */
function folder(build: string): string {
  const directory = mkdtempSync(join(tmpdir(), "dev-"));
  for (const name of ["src/deep", "node_modules/many"]) mkdirSync(join(directory, name), { recursive: true });
  for (let file = 0; file < 200; file += 1)
    writeFileSync(join(directory, "node_modules/many", `${file}.js`), "");
  writeFileSync(join(directory, "package.json"), JSON.stringify({ scripts: { build } }));
  return directory;
}

const patienceMs = 30_000;

class Dev {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  said = "";

  constructor(directory: string) {
    const say = (text: string) => {
      this.said += text;
    };
    const { env } = process;
    this.#ended = runDevLoop(
      { directory, config: [], env, drain: () => ({ [Symbol.dispose]: () => undefined }) },
      { out: say, err: say },
      this.#stop.signal,
    );
  }

  async says(times: number, text: string): Promise<void> {
    const giveUpAt = performance.now() + patienceMs;
    while (this.said.split(text).length - 1 < times) {
      if (performance.now() > giveUpAt) throw new Error(`it did not say ${text}: ${this.said}`);
      await delay(20);
    }
  }

  async end(): Promise<void> {
    this.#stop.abort(new Error("the test has seen enough"));
    await this.#ended;
  }
}

/** How many files this process watches, as Linux tells. */
function watchCount(): number {
  const descriptions = readdirSync("/proc/self/fdinfo").map((name) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${name}`, "utf8");
    } catch {
      return ""; // the one with which the folder was read
    }
  });
  return descriptions.join("").split("inotify wd").length - 1;
}

describe("runDevLoop", { timeout: 120_000 }, () => {
  it("goes on after a change of a file, however deep, and watches nothing that was installed", async () => {
    const directory = folder("node -e 0");
    const dev = new Dev(directory);
    for (const [round, file] of ["package.json", "src/deep/new.ts", "README.md"].entries()) {
      await dev.says(round + 1, "the source has ended, waiting for a change");
      if (process.platform === "linux") expect(watchCount()).toBeLessThan(50);
      writeFileSync(join(directory, file), readFileSync(join(directory, "package.json")));
    }
    await dev.says(4, "building");
    await dev.end();
  });

  it("ends while it builds", async () => {
    const directory = folder(
      `node -e 'require("node:fs").writeFileSync("dist", ""); setTimeout(() => {}, 600_000)'`,
    );
    const dev = new Dev(directory);
    while (!readdirSync(directory).includes("dist")) await delay(20);
    const startedAt = performance.now();
    await dev.end();
    expect(performance.now() - startedAt).toBeLessThan(patienceMs);
    expect(dev.said).toBe("building …\n");
  });
});
