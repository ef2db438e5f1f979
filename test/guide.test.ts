import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const guide = readFileSync(new URL("../docs/writing-connectors.md", import.meta.url), "utf8");
const example = fileURLToPath(new URL("examples/file-tail/", import.meta.url));

interface Block {
  readonly file: string;
  /** What stands between the marks of what is left out. */
  readonly pieces: readonly string[];
}

/** The guide's blocks of code, each headed by the name of its file; the table is its README's. */
function blocks(): readonly Block[] {
  const found = [...guide.matchAll(/^```(ts|yaml|markdown)\n([\s\S]*?)^```$/gm)];
  return found.map(([, language, text = ""]) => {
    const [, file = "", body = ""] =
      language === "markdown" ? ["", "README.md", text] : (/^(?:\/\/|#) (\S+)\n([\s\S]*)$/.exec(text) ?? []);
    return { file, pieces: body.split(/^\s*\/\/ …\n/m) };
  });
}

describe("the guide for authors", () => {
  it("has code to show", () => {
    expect(blocks().length).toBeGreaterThan(8);
  });

  it.each(blocks())("shows $file as it is in the example", ({ file, pieces }) => {
    const text = readFileSync(`${example}${file}`, "utf8");
    for (const piece of pieces) expect(text).toContain(piece);
  });
});
