import type { JsonSchema } from "../json-schema.ts";
import { codeSpans, type TableRow } from "./table-row.ts";

const number = "-?\\d+(?:\\.\\d+)?";

interface Form {
  readonly pattern: RegExp;
  /** JSON Schema types it makes sense for. */
  readonly types: readonly JsonSchema["type"][];
  read(match: RegExpExecArray, cell: string): JsonSchema;
}

/** What the column "Allowed" may say. The remedy of its error, {@link forms}, repeats this list. */
const knownForms: readonly Form[] = [
  {
    pattern: /^`[^`]+`(?:(?:, | or |, or )`[^`]+`)*$/,
    types: ["string"],
    read: (_match, cell) => ({ enum: codeSpans(cell) }),
  },
  {
    pattern: /^list of `[^`]+`(?:(?:, | and |, and )`[^`]+`)*$/,
    types: ["string"],
    read: (_match, cell) => ({ "x-list-of": codeSpans(cell) }),
  },
  {
    pattern: new RegExp(`^(${number}) to (${number})$`),
    types: ["integer", "number"],
    read: ([, from, to]) => ({ minimum: Number(from), maximum: Number(to) }),
  },
  {
    pattern: new RegExp(`^at least (${number})$`),
    types: ["integer", "number"],
    read: ([, from]) => ({ minimum: Number(from) }),
  },
  {
    pattern: /^(\d+) to (\d+) characters of `([^`]+)`$/,
    types: ["string"],
    read: ([text = "", from, to, characters = ""]) => ({
      minLength: Number(from),
      maxLength: Number(to),
      pattern: `^[${characters}]*$`,
      "x-allowed": text.replaceAll("`", ""),
    }),
  },
  {
    pattern: /^URL$/,
    types: ["string"],
    read: () => ({ format: "uri", pattern: "^https?://[^/]", "x-allowed": "an http or https URL" }),
  },
  {
    pattern: /^JSON$/,
    types: ["string"],
    read: () => ({ contentMediaType: "application/json", "x-allowed": "a JSON object" }),
  },
];

const forms =
  "write `A`, `B` or `C`; list of `a`, `b`; 1 to 10; at least 1; 3 to 255 characters of `a-z`; URL; JSON; or nothing";

/**
 * The schema keywords of a cell of the column "Allowed".
 *
 * @param type what they have to go with; absent: anything.
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) when it is none of the known forms, or does not go with the type.
 */
export function readAllowed(row: TableRow, type?: JsonSchema["type"]): JsonSchema {
  const cell = row.cell("allowed");
  if (cell === "" || cell === "–") return {};
  for (const form of knownForms) {
    const match = form.pattern.exec(cell);
    if (match === null) continue;
    if (type !== undefined && !form.types.includes(type))
      throw row.defect("allowed", `"${cell}" does not go with the type`, forms);
    return checked(form.read(match, cell), row);
  }
  throw row.defect("allowed", `"${cell}" is not understood`, forms);
}

function checked(schema: JsonSchema, row: TableRow): JsonSchema {
  if ((schema.minimum ?? 0) > (schema.maximum ?? Number.POSITIVE_INFINITY)) {
    throw row.defect("allowed", "the range is empty", "write the smaller number first");
  }
  try {
    if (schema.pattern !== undefined) new RegExp(schema.pattern, "u");
  } catch {
    throw row.defect(
      "allowed",
      "the characters are no character class",
      "write them as between [ and ] of a pattern",
    );
  }
  return schema;
}
