import { type ErrorCode, LineCounter, parseDocument } from "yaml";
import { ConfigSyntaxError } from "./errors.ts";

/** Longest config text, in UTF-16 units. A connector's config is some kilobytes; this only bounds the parsers. */
const maxTextLength = 1_048_576;

/** What is wrong, by the parser's own code. Its messages are not used: they quote the text, which may be a secret. */
const explanations: Partial<Record<ErrorCode, readonly [what: string, remedy: string]>> = {
  DUPLICATE_KEY: ["the same key stands twice in one mapping", "keep one of the two"],
  TAB_AS_INDENT: ["a tab is used to indent", "indent with spaces"],
  BAD_INDENT: ["the indentation does not fit the lines above", "indent the keys of one mapping alike"],
  MISSING_CHAR: [
    "a character is missing",
    "look for a missing quote, comma, colon, bracket or brace before this place",
  ],
  MULTIPLE_DOCS: ["there is more than one document", "keep one; '---' separates documents"],
  BAD_DQ_ESCAPE: ["a backslash escape is not valid", "write a backslash in double quotes as two"],
  BAD_ALIAS: ["an alias names no anchor", "quote a text that begins with '*'"],
  BAD_SCALAR_START: ["a text begins with a reserved character", "put it in double quotes"],
  BLOCK_AS_IMPLICIT_KEY: ["a value contains ': '", "put the value in double quotes"],
  MULTILINE_IMPLICIT_KEY: ["a key runs over several lines", "look for a missing colon after the key"],
};

/**
 * The value of a config text, JSON or YAML 1.2, from a flag, a file or stdin.
 *
 * @param origin what the text is called in errors, such as `--source-config` or a file's name.
 * @throws ConfigSyntaxError (`PIO_CONFIG_SYNTAX`) naming origin, line and column; never quoting the text.
 */
export function parseConfigText(text: string, origin: string): unknown {
  if (text.length > maxTextLength) {
    throw new ConfigSyntaxError(`${origin} is larger than ${maxTextLength} characters`, {
      remedy: "a connector's config is some kilobytes: check that the right file is named",
    });
  }
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  return parseDocumentText(source, origin, parseJson(source));
}

/** `undefined` when the text is no JSON. JSON that is valid stays valid: YAML is stricter about tabs. */
function parseJson(source: string): { readonly value: unknown } | undefined {
  if (!/^\s*[[{]/.test(source)) return undefined;
  try {
    return { value: JSON.parse(source) };
  } catch {
    // Reported by the YAML parser, which knows line and column; JSON.parse's message quotes the text.
    return undefined;
  }
}

function parseDocumentText(
  source: string,
  origin: string,
  json: { readonly value: unknown } | undefined,
): unknown {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: "silent",
  });
  const first =
    json === undefined
      ? (document.errors[0] ?? document.warnings[0])
      : document.errors.find((error) => error.code === "DUPLICATE_KEY"); // JSON.parse silently takes the last one
  if (first !== undefined) {
    const { line, col } = lines.linePos(first.pos[0]);
    throw syntaxError(origin, looksLikeJson(source) ? "JSON" : "YAML", line, col, first.code);
  }
  if (json !== undefined) return json.value;
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigSyntaxError(`${origin} repeats itself through too many aliases`, {
      cause: error,
      remedy: "write the values out instead of using '*' aliases",
    });
  }
}

function syntaxError(
  origin: string,
  language: string,
  line: number,
  column: number,
  code: ErrorCode,
): ConfigSyntaxError {
  const [what, remedy] = explanations[code] ?? [
    "this is not expected here",
    `check the quotes, commas and brackets up to this place; a ${language} checker shows the same position`,
  ];
  return new ConfigSyntaxError(
    `${origin} is not valid ${language} at line ${line}, column ${column}: ${what}`,
    {
      remedy,
      details: { origin, line, column },
    },
  );
}

function looksLikeJson(source: string): boolean {
  return /^\s*[[{]/.test(source);
}
