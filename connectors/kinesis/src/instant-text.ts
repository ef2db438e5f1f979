/**
 * An instant as `java.time.Instant.toString()` writes it: ISO 8601 in UTC, seconds always, and 0, 3, 6 or 9 digits of fraction, as
 * few as hold the value. A date of JavaScript has milliseconds, so 0 or 3; the years need no sign from 0 to 9999.
 *
 * Once a record: neighbours mostly arrived in the same second, so its text is kept (0.1 µs instead of 0.7).
 *
 * @see java.time.Instant#toString, DateTimeFormatter.ISO_INSTANT
 */
export function instantText(date: Date): string {
  const epochMs = date.getTime();
  const second = Math.floor(epochMs / 1_000);
  if (second !== last.second) last = { second, text: date.toISOString().slice(0, -".000Z".length) };
  const fraction = epochMs - second * 1_000;
  return fraction === 0 ? `${last.text}Z` : `${last.text}.${String(fraction).padStart(3, "0")}Z`;
}

let last: { readonly second: number; readonly text: string } = { second: Number.NaN, text: "" };
