import { type Document, type ErrorCode, isAlias, isScalar, visit } from "yaml";

/** What is wrong with a text, by the parser's codes, and where. */
export interface TextDefect {
  readonly code: ErrorCode;
  /** Offset in the text. */
  readonly pos: readonly [number, ...number[]];
}

/** The first thing that is wrong with a parsed text. @param asJson what begins like JSON has to be JSON. */
export function firstDefect(document: Document.Parsed, asJson: boolean): TextDefect | undefined {
  return (
    document.errors[0] ??
    document.warnings[0] ??
    duplicateKey(document) ??
    danglingAlias(document) ??
    (asJson ? unquotedText(document) : undefined)
  );
}

/** The first key that stands twice in one mapping. JSON.parse, too, would silently take the last. */
export function duplicateKey(document: Document.Parsed): TextDefect | undefined {
  let found: TextDefect | undefined;
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) {
          found = { code: "DUPLICATE_KEY", pos: [key.range?.[0] ?? 0] };
          return visit.BREAK;
        }
        seen.add(name);
      }
      return undefined;
    },
  });
  return found;
}

/** The parser finds this one only when it makes values, and then without a place. */
function danglingAlias(document: Document.Parsed): TextDefect | undefined {
  const anchors = new Set<string>();
  let found: TextDefect | undefined;
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return undefined;
      }
      if (anchors.has(node.source)) return undefined;
      found = { code: "BAD_ALIAS", pos: [node.range?.[0] ?? 0] };
      return visit.BREAK;
    },
  });
  return found;
}

/**
 * The first text without double quotes, in what begins like JSON and is none. YAML would take `{"a": b"}` as it stands; what was
 * meant is JSON, most often with its quotes lost in a shell. Trailing commas and comments do no harm.
 */
function unquotedText(document: Document.Parsed): TextDefect | undefined {
  let found: TextDefect | undefined;
  visit(document, {
    Scalar(_key, scalar) {
      const plainText = scalar.type === "PLAIN" && typeof scalar.value === "string";
      if (!plainText && scalar.type !== "QUOTE_SINGLE") return undefined;
      found = { code: "BAD_SCALAR_START", pos: [scalar.range?.[0] ?? 0] };
      return visit.BREAK;
    },
  });
  return found;
}
