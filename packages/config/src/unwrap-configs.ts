import { ConfigSyntaxError } from "./errors.ts";
import { isMapping } from "./mapping.ts";

/**
 * The connector's own settings: what stands under an optional top-level `configs:`, as the documents write it.
 *
 * @param value result of `parseConfigText`; nothing at all counts as no settings.
 * @throws ConfigSyntaxError (`PIO_CONFIG_SYNTAX`) when it is no mapping, or when keys stand beside `configs:`.
 */
export function unwrapConfigs(value: unknown, origin: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (!isMapping(value)) {
    throw new ConfigSyntaxError(`${origin} is ${kindOf(value)}, not a mapping of settings`, {
      remedy: 'write {"name": "value", ...} or one "name: value" a line, with a space after the colon',
    });
  }
  if (!Object.hasOwn(value, "configs")) return value;
  const { configs, ...beside } = value;
  const besideCount = Object.keys(beside).length;
  if (besideCount > 0) throw keysBeside(configs, besideCount, origin);
  if (configs === null || configs === undefined || configs === "") return {};
  if (isMapping(configs)) return configs;
  throw new ConfigSyntaxError(`"configs" in ${origin} is ${kindOf(configs)}, not a mapping of settings`, {
    remedy: 'write the settings below "configs:", indented by two spaces',
  });
}

/** The hub document's own YAML has this defect: its settings stand at the margin, below an empty `configs:`. */
function keysBeside(configs: unknown, count: number, origin: string): ConfigSyntaxError {
  const keys = count === 1 ? "one key stands" : `${count} keys stand`;
  const empty = configs === null || configs === undefined || configs === "";
  return empty
    ? new ConfigSyntaxError(`"configs:" in ${origin} is empty, and ${keys} beside it instead of below it`, {
        remedy: 'indent the lines after "configs:" by two spaces, or delete the line "configs:"',
      })
    : new ConfigSyntaxError(`${keys} beside "configs" in ${origin}`, {
        remedy:
          'move all settings below "configs", indented alike, or delete "configs" and keep them at the margin',
      });
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === null) return "empty";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
