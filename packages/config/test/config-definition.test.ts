import { describe, expect, it } from "vitest";
import { configDefinition, type JsonSchema } from "../src/index.ts";

describe("configDefinition", () => {
  it.each<[JsonSchema, string]>([
    [{ type: "string" }, "java.lang.String"],
    [{ type: "string", "x-type": "Mode", enum: ["A"] }, "java.lang.String"],
    [{ type: "string", "x-type": "Date" }, "java.util.Date"],
    [{ type: "integer", "x-type": "int" }, "int"],
    [{ type: "integer", "x-type": "Long" }, "long"],
    [{ type: "integer" }, "long"],
    [{ type: "number" }, "double"],
    [{ type: "boolean" }, "boolean"],
    [{ type: "object" }, "java.util.Map"],
    [{ type: "array" }, "java.util.List"],
    [{}, "java.lang.String"],
  ])("calls %j a %s", (property, typeName) => {
    expect(configDefinition({ properties: { it: property } })).toMatchObject([{ typeName }]);
  });

  it("gives every value as a text", () => {
    const schema: JsonSchema = {
      properties: {
        count: { type: "integer", "x-type": "int", default: 3, description: "How many." },
        key: { type: "string", "x-sensitive": true },
      },
      required: ["key"],
    };
    const attributes = { help: "How many.", defaultValue: "3", sensitive: "false", required: "false" };
    expect(configDefinition(schema)).toEqual([
      { fieldName: "count", typeName: "int", attributes },
      {
        fieldName: "key",
        typeName: "java.lang.String",
        attributes: { help: "", defaultValue: "", sensitive: "true", required: "true" },
      },
    ]);
  });
});
