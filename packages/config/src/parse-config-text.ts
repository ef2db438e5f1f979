import { type ErrorCode, LineCounter, parseDocument } from "yaml";
import { ConfigSyntaxError } from "./errors.ts";
import { nestingDepth } from "./nesting.ts";
import { duplicateKey, firstDefect, type TextDefect } from "./text-defects.ts";

/** Longest config text, in UTF-16 units. A connector's config is some kilobytes; this only bounds the parsers. */
const maxTextLength = 1_048_576;
/** Deepest nesting that is handed to the parser. The validator's own bound is lower. */
const maxNesting = 100;

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
  TAG_RESOLVE_FAILED: ["a tag is not known", "quote a text that begins with '!'"],
  MULTILINE_IMPLICIT_KEY: ["a key runs over several lines", "look for a missing colon after the key"],
};

const unquoted = [
  "a text is not in double quotes",
  'write {"name": "value"}, and on a command line put the whole in single quotes',
] as const;

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
  if (nestingDepth(text) > maxNesting) {
    throw new ConfigSyntaxError(`${origin} is nested deeper than ${maxNesting} levels`, {
      remedy: "a connector's config has a few levels: look for brackets that are not closed",
    });
  }
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  return parseDocumentText(source, origin, parseJson(source));
}

/** `undefined` when the text is no JSON. JSON that is valid stays valid: YAML is stricter about tabs. */
function parseJson(source: string): { readonly value: unknown } | undefined {
  if (languageOf(source) !== "JSON") return undefined;
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
  const language = languageOf(source);
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false, // the parser's own check takes quadratic time
    logLevel: "error", // "silent" would also be silent about a second document
  });
  const defect = json === undefined ? firstDefect(document, language === "JSON") : duplicateKey(document);
  if (defect !== undefined) {
    const explained = explain(defect, source, language, lines);
    throw syntaxError(origin, language, lines.linePos(defect.pos[0]), defect.code, explained);
  }
  if (json !== undefined) return json.value;
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    // Without its cause: that quotes the text.
    throw new ConfigSyntaxError(`${origin} repeats itself through too many aliases`, {
      remedy: "write the values out instead of using '*' aliases",
    });
  }
}

type Explanation = readonly [what: string, remedy: string];

/** What the parser's code alone does not say; `undefined`: it says enough. */
function explain(
  { code, pos }: TextDefect,
  source: string,
  language: string,
  lines: LineCounter,
): Explanation | undefined {
  const open = language === "JSON" || code === "BAD_INDENT" ? unclosed(source) : undefined;
  if (open !== undefined) {
    const { line, col } = lines.linePos(open.offset);
    const closing = open.bracket === "[" ? "]" : "}";
    return [
      `the "${open.bracket}" of line ${line}, column ${col} is not closed`,
      `add the missing "${closing}"`,
    ];
  }
  if (language === "JSON" && /^\s*(\/\/|\/\*)/m.test(source))
    return ["JSON has no comments", 'remove the comments, or write YAML, where they begin with "#"'];
  const [rest = ""] = source.slice(pos[0]).split("\n", 1);
  // Its value goes on in the next line, which is indented deeper, and that line is the one with the colon.
  if (code === "BLOCK_AS_IMPLICIT_KEY" && !/:(\s|$)/.test(rest)) return explanations.BAD_INDENT;
  return undefined;
}

/** The last bracket or brace outside of quotes that nothing closes. */
function unclosed(source: string): { readonly bracket: string; readonly offset: number } | undefined {
  const open: { readonly bracket: string; readonly offset: number }[] = [];
  for (const { 0: token, index: offset } of source.matchAll(/"(?:[^"\\]|\\.)*"|'[^'\n]*'|#[^\n]*|[[\]{}]/g)) {
    if (token === "[" || token === "{") open.push({ bracket: token, offset });
    else if (token === "]" || token === "}") {
      const last = open.at(-1);
      if (last !== undefined && last.bracket !== (token === "]" ? "[" : "{")) return last;
      open.pop();
    }
  }
  return open.at(-1);
}

function syntaxError(
  origin: string,
  language: string,
  { line, col: column }: { readonly line: number; readonly col: number },
  code: ErrorCode,
  explained: Explanation | undefined,
): ConfigSyntaxError {
  const [what, remedy] = explained ??
    (code === "BAD_SCALAR_START" && language === "JSON" ? unquoted : explanations[code]) ?? [
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

function languageOf(source: string): "JSON" | "YAML" {
  return /^\s*[[{]/.test(source) ? "JSON" : "YAML";
}
