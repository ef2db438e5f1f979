/** The value of `--name`. @throws Error that names the option and what it may be. */
export function integerOption(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} must be an integer of ${least} to ${most}, got ${text}`);
}

/** The options that every benchmark has, for `parseArgs`. */
export const commonOptions = {
  json: { type: "boolean", default: false },
  out: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;
