import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigSyntaxError, parseConfigText } from "../src/index.ts";

function failure(text: string): ConfigSyntaxError {
  try {
    parseConfigText(text, "--source-config");
  } catch (error) {
    if (error instanceof ConfigSyntaxError) return error;
    throw error;
  }
  throw new Error("the text was accepted");
}

describe("parseConfigText", () => {
  it("reads JSON, whatever its white space", () => {
    expect(parseConfigText('{\n\t"a": 1,\n\t"b": ["x", true, null]\n}', "x")).toEqual({
      a: 1,
      b: ["x", true, null],
    });
  });

  it("reads whatever JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        expect(parseConfigText(JSON.stringify(value), "x")).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("reads YAML, and leaves dates and words as they are written", () => {
    const text = 'a: 30000\nb: "30000"\nc: 2019-03-05T19:28:58.000Z\nd: yes\ne:\n  - 1\n  - two\n';
    expect(parseConfigText(text, "x")).toEqual({
      a: 30_000,
      b: "30000",
      c: "2019-03-05T19:28:58.000Z",
      d: "yes",
      e: [1, "two"],
    });
  });

  it("takes an empty text, and one that has only comments, for nothing", () => {
    expect(parseConfigText("", "x")).toBeNull();
    expect(parseConfigText("# nothing yet\n", "x")).toBeNull();
  });

  it("does not mind a trailing comma or a comment in JSON", () => {
    expect(parseConfigText('{"a": [1, true, null],\n # all of it\n "b": "c",}', "x")).toEqual({
      a: [1, true, null],
      b: "c",
    });
  });

  it("does not mind a byte order mark", () => {
    expect(parseConfigText('\uFEFF{"a":1}', "x")).toEqual({ a: 1 });
  });

  it.each([
    ["a list", "a: [1, 2\nb: 3\n", 'the "[" of line 1, column 4 is not closed', 'add the missing "]"'],
    ["a mapping", "a: {x: 1\nb: 2\n", 'the "{" of line 1, column 4 is not closed', 'add the missing "}"'],
    ["JSON", '{"a": 1', 'the "{" of line 1, column 1 is not closed', 'add the missing "}"'],
    ["a list in JSON", '{"a": [1, 2}', 'the "[" of line 1, column 7 is not closed', 'add the missing "]"'],
    ["indentation below a value", "a: 1\n  b: 2\n", "the indentation does not fit", "indent the keys"],
    ["indentation below a key", "a:\n  b: x\n   c: y\n", "the indentation does not fit", "indent the keys"],
    ["indentation", "configs:\n  a: 1\n b: 2\n", "the indentation does not fit", "indent the keys"],
    ["a colon in a value", "a: b: c", "a value contains ': '", "put the value in double quotes"],
    ["a comment in JSON", '{\n// why\n"a": 1}', "JSON has no comments", "remove the comments"],
  ])("explains what is wrong with %s, and how to fix it", (_what, text, message, remedy) => {
    expect(() => parseConfigText(text, "x")).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(message),
        remedy: expect.stringContaining(remedy),
      }),
    );
  });

  it.each([
    ["JSON that is not closed", '{"a": 1', "JSON", 1, 8],
    ["JSON without a colon", '{"a": 1,\n "b" 2}', "JSON", 2, 6],
    ["a key that stands twice in JSON", '{"a": 1,\n "b": {"c": 1, "c": 2}}', "JSON", 2, 16],
    ["a key that stands twice in YAML", "a: 1\nb:\n  c: 1\n  c: 2\n", "YAML", 4, 3],
    ["JSON whose quotes the shell has eaten", "{region:us-east-1,stream:x}", "JSON", 1, 2],
    ["JSON with one quote lost", '{"a": b"}', "JSON", 1, 7],
    ["JSON in single quotes", "{'a': 1}", "JSON", 1, 2],
    ["a tab that indents YAML", "a:\n\tb: 1", "YAML", 2, 1],
    ["a colon in a value", "a: b: c", "YAML", 1, 4],
    ["two documents", "a: 1\n---\nb: 2", "YAML", 2, 1],
    ["a tag", "a: !env HOME", "YAML", 1, 4],
    ["an asterisk", "a: &x 1\nb: *x\nc: *.txt", "YAML", 3, 4],
  ])("names origin, line and column of %s", (_what, text, language, line, column) => {
    const error = failure(text);
    expect(error.code).toBe("PIO_CONFIG_SYNTAX");
    expect(error.message).toContain(
      `--source-config is not valid ${language} at line ${line}, column ${column}: `,
    );
    expect(error.remedy).toMatch(/./);
  });

  it("never quotes the text, which may be a secret", () => {
    for (const text of [
      '{"key": "S3CR3T',
      '{"key": S3CR3T"}',
      "key: S3CR3T: x",
      "a: *S3CR3T",
      "!S3CR3T",
      "- S3CR3T\nb: 1",
    ]) {
      const error = failure(text);
      expect(
        `${error.message} ${error.remedy} ${JSON.stringify(error.details)} ${error.cause}`,
      ).not.toContain("S3CR3T");
    }
  });

  it.each([
    ["brackets", "[".repeat(200_000)],
    ["lists on one line", "- ".repeat(200_000)],
    ["keys on one line", "? ".repeat(200_000)],
    ["indentation", Array.from({ length: 200 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ])("refuses a text that nests without end by %s, before it can end the process", (_how, text) => {
    expect(failure(text).message).toBe("--source-config is nested deeper than 100 levels");
  });

  it("refuses a text that is too large, and one that unfolds to more than it shows", () => {
    expect(failure("a".repeat(1_048_577)).message).toContain("larger than");
    const bomb = ["a: &a [1,2,3,4,5,6,7,8,9]"];
    for (const [from, to] of ["ab", "bc", "cd", "de"])
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`)}]`);
    expect(failure(bomb.join("\n")).message).toContain("aliases");
  });

  // Quadratic time would be more than the limit on any machine, linear time is about a second.
  it("takes no quadratic time for many keys or many aliases", () => {
    const keys = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join("\n");
    expect(Object.keys(parseConfigText(keys, "x") as object)).toHaveLength(60_000);
    expect(failure(`- &a 1\n${"- *a\n".repeat(50_000)}`).message).toContain("aliases");
  }, 30_000);
});
