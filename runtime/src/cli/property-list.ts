import { describeProperties, type PropertyDescription } from "@pulsar-ts-io/config";
import type { ConfigSchema } from "../plugin/connector-package.ts";

/** The properties of a connector for people: name and facts on one line, the description below, wrapped. */
export function formatProperties(schema: ConfigSchema, width: number): string {
  let section: string | undefined;
  const lines: string[] = [];
  for (const property of describeProperties(schema)) {
    if (property.section !== undefined && property.section !== section) {
      section = property.section;
      lines.push(`${lines.length === 0 ? "" : "\n"}${section}:`);
    }
    lines.push(`  ${property.name}  (${facts(property)})`, ...wrap(explanation(property), width - 6));
  }
  return `${lines.join("\n")}\n`;
}

function facts(property: PropertyDescription): string {
  const parts = [property.type];
  if (property.required) parts.push("required");
  if (property.sensitive) parts.push("sensitive");
  if (property.default !== undefined && property.default !== "") parts.push(`default ${property.default}`);
  return parts.join(", ");
}

function explanation({ description, allowed }: PropertyDescription): string {
  const text = plain(description);
  return allowed === undefined ? text : `${text} Allowed: ${allowed}.`;
}

/** The descriptions are Markdown. */
function plain(markdown: string): string {
  return markdown
    .replace(/<br\s*\/?>/g, " ")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(`      ${line}`);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, `      ${line}`];
}
