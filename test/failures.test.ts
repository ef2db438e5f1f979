import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const docs = new URL("../docs/", import.meta.url);

/** The rows of `docs/failures.md`: what fails, and the test that shows it. */
async function rows(): Promise<readonly { what: string; title: string; file: string; code: string }[]> {
  const text = await readFile(new URL("failures.md", docs), "utf8");
  const lines = text.split("\n").filter((line) => /^\| (?!what fails)/.test(line));
  return lines.map((line) => {
    const [what = "", , , code = "", , test = ""] = line
      .split(" | ")
      .map((cell) => cell.replace(/^\| | \|$/g, ""));
    const [, title = "", file = ""] = /^\[(.*)\]\((.*)\)$/.exec(test) ?? [];
    return { what, title, file, code };
  });
}

describe("docs/failures.md", () => {
  it("tells of many failures, of each once", async () => {
    const all = (await rows()).map(({ what }) => what);
    expect(all.length).toBeGreaterThanOrEqual(25);
    expect(new Set(all).size).toBe(all.length);
  });

  it("names a test for each that there is", async () => {
    for (const { what, title, file } of await rows()) {
      const path = fileURLToPath(new URL(file, docs));
      expect(await readFile(path, "utf8"), `${what}: ${file}`).toContain(title);
    }
  });

  it("names codes that there are", async () => {
    const known = await readFile(new URL("error-codes.md", docs), "utf8");
    for (const { code } of await rows()) {
      for (const [named = ""] of code.matchAll(/`PIO_\w+`/g)) expect(known).toContain(named);
    }
  });
});

describe("docs/verification.md", () => {
  it("names for each failure a test that there is", async () => {
    const text = await readFile(new URL("verification.md", docs), "utf8");
    const links = [...text.matchAll(/\[([^\]]+)\]\((\.\.\/[^)]+\.test\.ts)\)/g)];
    expect(links.length).toBeGreaterThanOrEqual(75);
    for (const [, title = "", file = ""] of links) {
      const path = fileURLToPath(new URL(file, docs));
      expect(await readFile(path, "utf8"), `${title}: ${file}`).toContain(title);
    }
  });
});
