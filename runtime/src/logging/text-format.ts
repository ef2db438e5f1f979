import { plainStyle, type Style } from "./style.ts";

/** Fields that every line has, or that are shown in a place of their own. */
const shownElsewhere = new Set(["level", "time", "msg", "err"]);

/** One JSON log line as people read it: time, level, sentence, fields. */
export function formatLogLine(json: string, style: Style = plainStyle): string {
  const line = parse(json);
  if (line === undefined) return json;
  // Of 2026-11-22T10:15:00.123Z the time of day: who reads along knows the date.
  const clock = String(line["time"]).slice(11, 23);
  const level = styledLevel(String(line["level"]), style);
  return `${style.faint(clock)} ${level} ${sentence(line)}\n`;
}

/** Of one JSON log line its level, by Java's names, and what it says; `undefined` when it is none. */
export function formatLogMessage(
  json: string,
): { readonly level: string; readonly text: string } | undefined {
  const line = parse(json);
  return line === undefined
    ? undefined
    : { level: String(line["level"]).toUpperCase(), text: sentence(line) };
}

function sentence(line: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(line)
    .filter(([key]) => !shownElsewhere.has(key))
    .map(([key, value]) => `  ${key}=${shown(value)}`);
  return `${String(line["msg"] ?? "")}${fields.join("")}${errorText(line["err"])}`;
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function styledLevel(level: string, style: Style): string {
  const text = level.toUpperCase().padEnd(5);
  if (level === "error") return style.error(text);
  if (level === "warn") return style.warning(text);
  return level === "debug" ? style.faint(text) : text;
}

function errorText(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { message, code, stack }: { message?: unknown; code?: unknown; stack?: unknown } = error;
  const trace = typeof stack === "string" ? `\n${stack}` : "";
  return `: ${String(message)}${code === undefined ? "" : ` [${String(code)}]`}${trace}`;
}

function shown(value: unknown): string {
  return typeof value === "string" && !/\s/.test(value) && value !== "" ? value : JSON.stringify(value);
}
