import { describeProperties, type PropertyDescription } from "@pulsar-ts-io/config";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileText, minimal, problemsOf, schema, validate } from "./kinesis-config.ts";

const rows = describeProperties(schema);

function rowOf(name: string): PropertyDescription {
  return rows.find((row) => row.name === name) ?? expect.unreachable(`no row ${name}`);
}

/** The table of the documents: name, type, required, sensitive, default. */
const documented = [
  ["awsKinesisStreamName", "String", true, false, undefined],
  ["awsRegion", "String", false, false, undefined],
  ["awsCredentialPluginName", "String", false, false, undefined],
  ["awsCredentialPluginParam", "String", false, true, undefined],
  ["awsEndpoint", "String", false, false, undefined],
  ["dynamoEndpoint", "String", false, false, undefined],
  ["cloudwatchEndpoint", "String", false, false, undefined],
  // documented as "Pulsar IO connector", which no DynamoDB table can be called
  ["applicationName", "String", false, false, "pulsar-kinesis"],
  ["initialPositionInStream", "InitialPositionInStream", false, false, "LATEST"],
  ["startAtTime", "Date", false, false, undefined],
  ["checkpointInterval", "Long", false, false, "60000"],
  ["backoffTime", "Long", false, false, "3000"],
  ["numRetries", "int", false, false, "3"],
  ["receiveQueueSize", "int", false, false, "1000"],
  ["useEnhancedFanOut", "boolean", false, false, "true"],
] as const;

/** The config definition that a Pulsar worker serves for Java's connector. */
interface JavaField {
  readonly fieldName: string;
  readonly typeName: string;
  readonly attributes: Readonly<Partial<Record<"defaultValue" | "sensitive", string>>>;
}
const javaFields: readonly JavaField[] = JSON.parse(fileText("golden/configdefinition-kinesis.json"));
const javaSettings = javaFields.filter(({ attributes }) => attributes.defaultValue !== undefined);

const jsonTypes: Readonly<Record<string, string>> = { int: "integer", long: "integer", boolean: "boolean" };

describe("the property table", () => {
  it.each(documented)("has %s as the documents have it", (name, type, required, sensitive, fallback) => {
    const { default: given, ...row } = rowOf(name);
    expect(row).toMatchObject({ type, required, sensitive, section: "As documented" });
    expect(given).toBe(fallback);
    expect(row.description).toMatch(/\w/);
  });

  it.each(javaSettings.map((field) => [field.fieldName, field] as const))(
    "has %s with the default, the kind and the secrecy of Java's connector",
    (name, { typeName, attributes }) => {
      const row = rowOf(name);
      expect(row.default ?? "").toBe(attributes.defaultValue);
      expect(`${row.sensitive}`).toBe(attributes.sensitive);
      expect(schema.properties?.[name]?.type).toBe(jsonTypes[typeName] ?? "string");
    },
  );

  it("has messageKeyMode, which is newer than that connector, and says which settings are ours", () => {
    expect(rowOf("messageKeyMode")).toMatchObject({
      default: "PARTITION_KEY",
      section: "Of Java's connector, not in the documents",
    });
    const known = [...documented.map(([name]) => name), "kinesisRecordProperties", "messageKeyMode"];
    const ours = rows.filter(({ name }) => !name.includes(".") && !known.some((other) => other === name));
    expect(ours.map(({ name }) => name)).toEqual([
      "cloudwatchMetricsLevel",
      "maxBufferedBytes",
      "fallbackToPolling",
      "kplDeaggregation",
      "kplHashRangeFilter",
      "pollIdleTime",
      "onStreamRecreated",
    ]);
    for (const row of ours)
      expect(row).toMatchObject({ section: "Ours", description: expect.stringMatching(/^Ours[.] /) });
  });

  it("names only columns that its README has, so that nobody reads a default that is not used", () => {
    const readme = fileText("../README.md");
    for (const { name } of rows) expect(readme).toContain(`| \`${name}\` |`);
  });

  const numbers = rows.filter(({ name }) => schema.properties?.[name]?.type === "integer");
  it.each(numbers.map(({ name }) => name))(
    "takes every integer in its range for %s, as number or text, and no other",
    (name) => {
      const { minimum = 0, maximum = 0 } = schema.properties?.[name] ?? {};
      expect(minimum).toBeGreaterThanOrEqual(0);
      fc.assert(
        fc.property(fc.integer({ min: minimum, max: maximum }), fc.boolean(), (value, asText) => {
          const result = validate({ ...minimal, [name]: asText ? `${value}` : value });
          expect(result).toMatchObject({ kind: "valid", config: { [name]: value } });
        }),
      );
      const outside = fc.oneof(
        fc.integer({ max: minimum - 1 }),
        fc.integer({ min: maximum + 1, max: Number.MAX_SAFE_INTEGER }),
      );
      fc.assert(
        fc.property(outside, (value) => {
          expect(problemsOf({ ...minimal, [name]: value })).toEqual([
            `${name}: must be ${minimum} to ${maximum}, got ${value}`,
          ]);
        }),
      );
    },
  );

  const choices = rows.flatMap(({ name }) =>
    (schema.properties?.[name]?.enum ?? []).map((choice) => [name, `${choice}`] as const),
  );
  it.each(choices)("takes for %s the choice %s, and corrects its other case", (name, choice) => {
    const config = {
      ...minimal,
      startAtTime: 0,
      awsCredentialPluginParam: '{"roleArn":"arn:aws:iam::123:role/reader","roleSessionName":"me"}',
    };
    expect(validate({ ...config, [name]: choice }).kind).toBe("valid");
    expect(problemsOf({ ...config, [name]: otherCase(choice) })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: must be one of .*\\(did you mean ${choice}\\?\\)$`)),
    ]);
  });

  it.each(rows.filter(({ name }) => !name.includes(".")).map(({ name }) => [name]))(
    "takes an empty text for %s as not set",
    (name) => {
      const { [name]: _gone, ...others }: Record<string, unknown> = minimal;
      // of the list of properties, an empty text asks for none
      if (name === "kinesisRecordProperties") return;
      expect(validate({ ...minimal, [name]: "" })).toEqual(validate(others));
    },
  );

  it.each(rows.map(({ name }) => [name]))("suggests %s when two of its letters changed places", (name) => {
    const [parent, inner] = name.split(".");
    const word = inner ?? name;
    const at = [...word].findIndex((letter, index) => index > 1 && letter !== word.charAt(index + 1));
    const typed = `${word.slice(0, at)}${word.charAt(at + 1)}${word.charAt(at)}${word.slice(at + 2)}`;
    const config: Record<string, unknown> =
      inner === undefined ? { [typed]: "x" } : { [parent ?? ""]: JSON.stringify({ [typed]: "x" }) };
    expect(problemsOf(config).join("\n")).toContain(`is not a known setting (did you mean ${word}?)`);
  });
});

function otherCase(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
}
