/**
 * An instant as `java.time.Instant.toString()` writes it: ISO 8601 in UTC, seconds always, and 0, 3, 6 or 9 digits of fraction, as
 * few as hold the value. A date of JavaScript has milliseconds, so 0 or 3; the years need no sign from 0 to 9999.
 *
 * @see java.time.Instant#toString, DateTimeFormatter.ISO_INSTANT
 */
export function instantText(date: Date): string {
  const text = date.toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}
