/**
 * How deep a YAML or JSON text nests at most, guessed without parsing: brackets, indentation and `- ` on one line.
 *
 * Brackets inside quotes are counted too, so it may guess too much, never too little. The parser recurses, and a text of nothing
 * but brackets ends the whole process: this has to be asked first.
 */
export function nestingDepth(text: string): number {
  return brackets(text) + blocks(text);
}

function brackets(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const bracket of text.match(/[[\]{}]/g) ?? []) {
    depth = bracket === "[" || bracket === "{" ? depth + 1 : Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Each deeper column at which a line, or an entry of a list within it, begins is one more level. */
function blocks(text: string): number {
  const columns: number[] = [];
  let deepest = 0;
  for (const line of text.split("\n")) {
    let [indicators = ""] = /^[\s\-?:]*/.exec(line) ?? [];
    if (indicators.length === line.length) indicators = indicators.trimEnd();
    for (const [column, character] of [...indicators, "x"].entries()) {
      if (/\s/.test(character)) continue;
      while ((columns.at(-1) ?? -1) >= column) columns.pop();
      columns.push(column);
    }
    deepest = Math.max(deepest, columns.length);
  }
  return deepest;
}
