import { type ConfigFieldDefinition, configDefinition } from "@pulsar-ts-io/config";
import { describe, expect, it } from "vitest";
import { fileText, schema } from "./kinesis-config.ts";

/** As the Java connector's own archive answers; the set that Java derives for itself has no attributes. */
const golden: readonly ConfigFieldDefinition[] = JSON.parse(
  fileText("golden/configdefinition-kinesis.json"),
).filter(({ attributes }: ConfigFieldDefinition) => "help" in attributes);
const ours = configDefinition(schema);

describe("the config definition", () => {
  it.each(golden)(
    "has $fieldName with the type, the default and the secrecy of Java's",
    ({ fieldName, typeName, attributes }) => {
      const field = ours.find((candidate) => candidate.fieldName === fieldName);
      const isEnumeration = typeName.startsWith("software.amazon.");
      expect(field).toMatchObject({
        typeName: isEnumeration ? "java.lang.String" : typeName,
        attributes: { defaultValue: attributes.defaultValue, sensitive: attributes.sensitive },
      });
      expect(Object.keys(field?.attributes ?? {}).sort()).toEqual(Object.keys(attributes).sort());
    },
  );

  it("says what is required as the property table does: the credentials may come from elsewhere, which Java denies", () => {
    const required = (fields: readonly ConfigFieldDefinition[]) =>
      fields.filter(({ attributes }) => attributes.required === "true").map(({ fieldName }) => fieldName);
    expect(required(golden)).toEqual(["awsKinesisStreamName", "awsCredentialPluginParam"]);
    expect(required(ours)).toEqual(["awsKinesisStreamName"]);
  });
});
