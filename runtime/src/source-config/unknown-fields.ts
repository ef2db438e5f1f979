import { nearest } from "@pulsar-ts-io/config";
import type { Fields } from "./field-reader.ts";
import type { ProblemList } from "./problem-list.ts";

/** Refuses every field that is not among `names`; suggests what may have been meant. */
export function refuseUnknown(
  fields: Fields,
  names: readonly string[],
  prefix: string,
  problems: ProblemList,
): void {
  for (const key of Object.keys(fields)) {
    if (names.includes(key)) continue;
    const near = nearest(key, names);
    const remedy = near === undefined ? `known are ${names.join(", ")}` : `did you mean ${near}?`;
    problems.refuse(`${prefix}${key}`, "is not a known setting", remedy);
  }
}
