import type { Fields } from "./field-reader.ts";
import type { ProblemList } from "./problem-list.ts";

/** Our part of `customRuntimeOptions`; the rest of it is for others, such as the customizer of Pulsar's Kubernetes runtime. */
export const runtimeOptionsKey = "pulsarTsIo";

const field = "customRuntimeOptions";

/**
 * What a SourceConfig says about this runtime: options of `run` that Pulsar has no field for.
 *
 * Pulsar hands the field on as a text that it does not look into. A mapping is taken, too.
 */
export function readRuntimeOptions(written: unknown, problems: ProblemList): Fields {
  if (written === undefined || written === null || written === "") return {};
  const options = typeof written === "string" ? parse(written, problems) : written;
  if (options === undefined) return {};
  const own = isMapping(options) ? options[runtimeOptionsKey] : undefined;
  if (own === undefined) {
    problems.warn(field, `has no effect: nothing in it is called ${runtimeOptionsKey}`);
    return {};
  }
  if (isMapping(own)) return own;
  problems.refuse(
    `${field}.${runtimeOptionsKey}`,
    "must be a mapping of options",
    'write it as {"onRefused": "skip"}',
  );
  return {};
}

/** What others mean with a text that is no JSON is theirs; with our key in it, it was meant for us. */
function parse(text: string, problems: ProblemList): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!text.includes(runtimeOptionsKey)) return text;
    problems.refuse(field, "is no JSON", `write it as {"${runtimeOptionsKey}": {"onRefused": "skip"}}`);
    return undefined;
  }
}

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
