/** The value of `--name`. @throws Error that names the option and what it may be. */
export function integerOption(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} must be an integer of ${least} to ${most}, got ${text}`);
}

/** The options that every benchmark has. */
export interface CommonOptions {
  readonly json: boolean;
  readonly outFile: string | undefined;
  readonly saveFolder: string | undefined;
  /** `undefined`: the benchmark's own. */
  readonly name: string | undefined;
  readonly anyLoad: boolean;
}

/** The same for `parseArgs`. */
export const commonOptions = {
  json: { type: "boolean", default: false },
  out: { type: "string" },
  save: { type: "string" },
  name: { type: "string" },
  "any-load": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** The lines of a benchmark's help for them. */
export const commonUsage = `  --any-load      compare rounds that other work on the machine disturbed in different degrees; default: exit with 3
  --json          one JSON document on standard output instead of the table
  --out FILE      write that JSON document to FILE as well
  --save DIR      write it to DIR/NAME.json as well, for npm run bench -- report
  --name NAME     default: the benchmark's name`;

interface CommonValues {
  readonly json: boolean;
  readonly out?: string | undefined;
  readonly save?: string | undefined;
  readonly name?: string | undefined;
  readonly "any-load": boolean;
}

export function readCommonOptions(values: CommonValues): CommonOptions {
  const { name } = values;
  if (name !== undefined && !/^[a-z0-9-]+$/.test(name))
    throw new Error(`--name must be of small letters, digits and hyphens, got ${name}`);
  return {
    json: values.json,
    outFile: values.out,
    saveFolder: values.save,
    name,
    anyLoad: values["any-load"],
  };
}
