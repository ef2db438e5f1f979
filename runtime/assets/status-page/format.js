/** A whole number with its thousands apart. */
export function count(value) {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** A rate: small ones with a decimal. */
export function rate(value) {
  if (value === undefined || value === null) return "–";
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

/** A length of time, in the largest unit that leaves something to tell. */
export function duration(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 120) return `${Math.round(minutes)} min`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} d`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value) {
  let unit = 0;
  let amount = value;
  while (amount >= 1_024 && unit < byteUnits.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  return `${unit > 0 && amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${byteUnits[unit]}`;
}

/** The time of day here. */
export function clockTime(atMs, withSeconds = false) {
  const seconds = withSeconds ? { second: "2-digit" } : {};
  return new Date(atMs).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...seconds,
  });
}
