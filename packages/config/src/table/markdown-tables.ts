import type { Nodes, Root, Table } from "mdast";

/** One table of a Markdown text. Code spans keep their backticks; all other markup is gone. */
export interface MarkdownTable {
  /** Text of the nearest heading above. */
  readonly heading: string;
  /** Header cells in lower case. */
  readonly columns: readonly string[];
  readonly rows: readonly MarkdownRow[];
}

export interface MarkdownRow {
  /** 1-based, in the Markdown text. */
  readonly line: number;
  /** By column, in lower case; empty where the row is short. */
  readonly cells: ReadonlyMap<string, string>;
}

/** The tables of a Markdown text, in order. Loads the parser on first use: only the build needs it. */
export async function readMarkdownTables(markdown: string): Promise<readonly MarkdownTable[]> {
  const [{ fromMarkdown }, { gfmTable }, { gfmTableFromMarkdown }] = await Promise.all([
    import("mdast-util-from-markdown"),
    import("micromark-extension-gfm-table"),
    import("mdast-util-gfm-table"),
  ]);
  const root = fromMarkdown(markdown, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  });
  return [...tablesOf(root)];
}

function* tablesOf(root: Root): Generator<MarkdownTable> {
  let heading = "";
  for (const node of root.children) {
    if (node.type === "heading") heading = textOf(node);
    if (node.type === "table") yield tableOf(node, heading);
  }
}

function tableOf(table: Table, heading: string): MarkdownTable {
  const [header, ...body] = table.children;
  const columns = (header?.children ?? []).map((cell) => textOf(cell).toLowerCase());
  const rows = body.map((row) => ({
    line: row.position?.start.line ?? 0,
    cells: new Map(columns.map((column, index) => [column, cellText(row.children[index])])),
  }));
  return { heading, columns, rows };
}

function cellText(cell: Nodes | undefined): string {
  return cell === undefined ? "" : textOf(cell);
}

function textOf(node: Nodes): string {
  return rawText(node).replace(/\s+/g, " ").trim();
}

function rawText(node: Nodes): string {
  switch (node.type) {
    case "text":
      return node.value;
    case "inlineCode":
      return `\`${node.value}\``;
    case "html": // <br> is the only way to break a line in a cell
    case "break":
      return " ";
    default:
      return "children" in node ? node.children.map(rawText).join("") : "";
  }
}
