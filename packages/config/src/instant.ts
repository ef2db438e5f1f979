const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** 9999-12-31T23:59:59.999Z: later instants have no four-digit year. */
const latestMs = 253_402_300_799_999;

/**
 * An instant, 1970 to 9999, as milliseconds since the epoch, from ISO text or from epoch milliseconds (also as text).
 *
 * Without an offset the text is UTC, as for Jackson; JavaScript's own parser would take local time. Digits below a
 * millisecond are dropped. A date that no calendar has is refused, where Jackson counts on into the next month.
 *
 * @returns `undefined` for anything else.
 */
export function parseInstant(value: unknown): number | undefined {
  const epochMs = typeof value === "string" ? fromText(value.trim()) : value;
  const fits =
    typeof epochMs === "number" && Number.isInteger(epochMs) && epochMs >= 0 && epochMs <= latestMs;
  return fits ? epochMs : undefined;
}

function fromText(text: string): number | undefined {
  if (/^\d+$/.test(text) && text.length > 4) return Number(text);
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const utcMs = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  // Date.UTC carries what is too large into the next unit: the text must come out again.
  if (!new Date(utcMs).toISOString().startsWith(canonical(match))) return undefined;
  return utcMs + milliseconds - offsetMs(match[8]);
}

function canonical(match: RegExpExecArray): string {
  const [, year, month, day, hour = "00", minute = "00", second = "00"] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}`;
}

function offsetMs(offset: string | undefined): number {
  if (offset === undefined || /^z$/i.test(offset)) return 0;
  const sign = offset.startsWith("-") ? -1 : 1;
  const digits = offset.slice(1).replace(":", "");
  return sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0)) * 60_000;
}
